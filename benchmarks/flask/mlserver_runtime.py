"""The same work as a runtime of MLServer: the V2 inference protocol, a picture in base64 in, the answer's JSON out."""

import json

from mlserver import MLModel
from mlserver.codecs import Base64Codec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse

from models import Analysis, NoPicture


class Analyze(MLModel):
    async def load(self):
        self.analysis = Analysis()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        picture = Base64Codec.decode_input(payload.inputs[0])[0]
        try:
            answer = self.analysis.of(picture)
        except NoPicture as error:
            raise InferenceError(str(error)) from error
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("answer", [json.dumps(answer)])])
