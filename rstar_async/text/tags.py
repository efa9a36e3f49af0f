"""The tags of the trajectory format (reference code, `constants.py`; paper appendix A.3)."""

CODE = "<code>"
END_OF_STEP = "<end_of_step>"
END_OF_CODE = "<end_of_code>"
OUTPUT = "<output>"
END_OF_OUTPUT = "<end_of_output>"
ANSWER = "<answer>"
END_OF_ANSWER = "<end_of_answer>"
USER = "<|user|>"
ASSISTANT = "<|assistant|>"

SPECIAL_TOKENS = (
    CODE,
    END_OF_STEP,
    END_OF_CODE,
    OUTPUT,
    END_OF_OUTPUT,
    ANSWER,
    END_OF_ANSWER,
    USER,
    ASSISTANT,
)
STEP_ENDS = (END_OF_STEP, END_OF_CODE, END_OF_ANSWER)
