# tries: to open its own channels again, for reading, under /proc
# correct: denied
import os
print("something to read", flush=True)
kept = os.dup(1)
for folder in ("/proc/self/fd", f"/proc/{os.getpid()}/fd", "/proc/thread-self/fd", "/dev/fd"):
    for number in (1, 3, 4, kept):
        try: again = os.open(f"{folder}/{number}", os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error: print("DENIED", folder, number, error)
        else: print("BREACH", folder, number, os.fstat(again))
