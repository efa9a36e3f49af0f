"""How large messages may be: what peers send keeps to it, what arrives is held to it. Bytes."""

MAX_MESSAGES = 128  # in one envelope, and so handled without a pause
INLINE_BYTES = 32 * 1024  # longest body that travels inside the first frame
FRAME_BYTES = 8 * 1024 * 1024  # longest first frame: `MAX_MESSAGES` bodies and some to spare
BODY_BYTES = 16 * 1024 * 1024  # control messages queue behind bodies, so peers send no longer ones
# A whole envelope: a first frame and the bodies behind it, of which no peer sends more at once.
ENVELOPE_BODY_BYTES = 2 * BODY_BYTES
ENVELOPE_BYTES = FRAME_BYTES + ENVELOPE_BODY_BYTES
LARGEST_FRAME = BODY_BYTES + 4096  # with what encryption adds
ENVELOPE_FRAMES = 2 + MAX_MESSAGES  # a ROUTER puts the sender's address first
