# tries: flags on its messages: look at them before they are received, and urgent data
# correct: denied error killed
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
class Piece(ctypes.Structure): _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]
class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("room", ctypes.c_uint), ("pieces", ctypes.POINTER(Piece)), ("count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_room", ctypes.c_size_t), ("flags", ctypes.c_int)]
piece = Piece(b"x" * 8, 8)
message = Message(None, 0, ctypes.pointer(piece), 1, None, 0, 0)
for number in (1, 3, 4):
    for flag in (socket.MSG_OOB, socket.MSG_PEEK, socket.MSG_DONTWAIT, 1 << 31):
        for name in ("sendmsg", "recvmsg"):
            done = libc[name](number, ctypes.byref(message), ctypes.c_int(flag & 0x7FFFFFFF or flag - (1 << 32)))
            print("DENIED" if done < 0 else "BREACH", name, number, flag, os.strerror(ctypes.get_errno()))
