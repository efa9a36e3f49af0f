# tries: to forge reports with fields that no true report has
# correct: killed error harmless
import struct, sys
frame, nonce, control = sys._getframe(), None, None
while frame is not None:
    names = frame.f_locals
    nonce = getattr(names.get("request"), "nonce", nonce)
    control = getattr(names.get("self"), "_control", control)
    frame = frame.f_back
kind, text = b"K" * 30000, b"\0\x1b[2J" * 1000
for ok, ended, step, line in ((0, 0, 2**31 - 1, -5), (0, 1, -(2**31), 2**31 - 1), (1, 1, 7, 7), (255, 255, 0, 0)):
    place = (nonce, ok, ended, step, line, len(kind), len(text))
    control.sendmsg([struct.pack("=16sBBiiII", *place) + kind + text])
