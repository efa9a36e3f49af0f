// Light or dark: the system's setting until the user chooses, which this browser remembers.

const KEY = 'rstar-theme'

export function startTheme() {
  apply(localStorage.getItem(KEY))
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', announce)
}

export function toggleTheme() {
  const next = isDark() ? 'light' : 'dark'
  localStorage.setItem(KEY, next)
  apply(next)
}

export const isDark = () => getComputedStyle(document.documentElement).colorScheme === 'dark'

function apply(choice) {
  if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice
  announce()
}

const announce = () => window.dispatchEvent(new Event('theme'))
