# tries: to import every module of the standard library, with all its side effects
# correct: harmless error killed timeout denied
import contextlib, importlib, sys
for name in sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib", "__main__"}):
    with contextlib.suppress(BaseException): importlib.import_module(name)
with contextlib.suppress(ImportError):
    import _xxsubinterpreters as others
    other = others.create()
    others.run_string(other, "try: open('/etc/passwd').read(); print('BREACH')\nexcept OSError: print('DENIED')")
