# tries: to change or to poison the pages of libraries that all programs have in common
# correct: denied
import _datetime, _decimal, ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mremap.restype, libc.mremap.argtypes = ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
REMOVE, POISON, OFFLINE = 9, 100, 101
def report(name, failed): print("DENIED" if failed else "BREACH", name, os.strerror(ctypes.get_errno()))
for type_ in (_decimal.Decimal, _datetime.date, int):
    page = id(type_) & ~4095
    report("a second mapping", libc.mremap(page, 0, 4096, 1) == ctypes.c_void_p(-1).value)
    for advice in (REMOVE, POISON, OFFLINE):
        report(f"advice {advice}", libc.madvise(page, 4096, advice) != 0)
