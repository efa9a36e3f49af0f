# tries: to be busy in the kernel, where signals wait: large pieces of memory, barriers
# correct: timeout killed memory error
import ctypes, mmap
libc = ctypes.CDLL(None)
libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
block = mmap.mmap(-1, 256 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
start = ctypes.addressof(ctypes.c_char.from_buffer(block))
FREE, DROP, HUGE, COLD, OUT, POPULATE, COLLAPSE = 8, 4, 14, 20, 21, 23, 25
while True:
    for advice in (POPULATE, HUGE, COLLAPSE, COLD, OUT, FREE, DROP):
        libc.madvise(start, 256 << 20, advice)
    libc.membarrier(1, 0, 0) if hasattr(libc, "membarrier") else None
