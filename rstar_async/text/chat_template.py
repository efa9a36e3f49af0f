"""The chat template of a trained policy: its prompt around a user's question, then the solution.

Programs that train or serve chat models render conversations by it, so rows of `messages` become
the ids that this project trains on. What the interpreter wrote is outside of `generation`, which
marks the tokens of a loss on the assistant's turns alone.
"""

import json

from rstar_async.text import tags
from rstar_async.text.prompts import Prompts

FILE = "chat_template.jinja"


def chat_template(prompts: Prompts, begin: str = "") -> str:
    """A Jinja template as transformers reads it; `begin` is the text of BOS."""
    prefix, suffix = map(_quoted, (prompts.question_prefix, prompts.question_suffix))
    output, end = map(_quoted, (f"\n{tags.OUTPUT}", tags.END_OF_OUTPUT))
    return f"""\
{{{{- {_quoted(begin)} -}}}}
{{%- for message in messages -%}}
  {{%- if message['role'] == 'user' -%}}
    {{{{- {prefix} + message['content'] + {suffix} -}}}}
  {{%- elif message['role'] == 'assistant' -%}}
    {{%- for part in message['content'].split({end}) -%}}
      {{%- set pieces = part.split({output}) -%}}
      {{%- if not loop.first -%}}{{{{- {end} -}}}}{{%- endif -%}}
      {{%- generation -%}}{{{{- pieces[0] -}}}}{{%- endgeneration -%}}
      {{%- if pieces | length > 1 -%}}{{{{- {output} + pieces[1] -}}}}{{%- endif -%}}
    {{%- endfor -%}}
  {{%- else -%}}
    {{{{- raise_exception('only turns of user and assistant are known') -}}}}
  {{%- endif -%}}
{{%- endfor -%}}
"""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
