"""The shape of a boundary: what is made fits it, and a key more does not."""

import pydantic
import pytest

from lab.scoring.boundary import boundary
from lab.scoring.card_boundary import Boundary
from tests.lab.scoring.test_boundary import FOUND, JITTER, PERIOD, rows


@pytest.mark.parametrize("axes", [[JITTER], [JITTER, PERIOD]])
def test_what_is_made_fits(axes):
    (one,) = boundary(*rows(FOUND), axes, 0.001)
    Boundary.model_validate(one)
    with pytest.raises(pydantic.ValidationError, match="colour"):
        Boundary.model_validate({**one, "colour": "red"})
