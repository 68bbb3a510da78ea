"""Parameters and metadata that a search refuses."""

import numpy as np
import pytest
import sklearn
from sklearn.model_selection import cross_validate

from sklearn_gd import GDLinearRegressorCV
from tests._model_selection.reference import X, Y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_bad_parameters_with_metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        for lrs in ((), 0.1):
            with pytest.raises(ValueError, match="The 'lrs' parameter"):
                cross_validate(GDLinearRegressorCV(lrs=lrs), X, Y, error_score="raise")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lrs": 0.1}, "The 'lrs' parameter of GDLinearRegressorCV must be a non-empty sequence"),
        ({"lrs": ()}, "The 'lrs' parameter"),
        ({"lrs": (0.1, -1.0)}, "The 'lrs' parameter"),
        ({"lrs": "auto"}, "The 'lrs' parameter"),
        ({"alphas": (-1.0,)}, "The 'alphas' parameter"),
        ({"alphas": (True,)}, "The 'alphas' parameter"),
        ({"epochs": 0}, r"The 'epochs' parameter of GDLinearRegressorCV must be an int"),
        ({"select_epochs": 1}, "The 'select_epochs' parameter"),
        ({"loss": "hinge"}, "The 'loss' parameter of GDLinearRegressorCV"),
        ({"optimizer": "nobody"}, "The 'optimizer' parameter of GDLinearRegressorCV"),
        ({"cv": []}, "No fits were performed"),
        ({"cv": [(np.arange(5), [])]}, "Split 0 of GDLinearRegressorCV has no sample"),
    ],
    ids=str,
)
def test_errors_say_what_is_wrong_and_change_nothing(settings, message):
    search = GDLinearRegressorCV(epochs=2).fit(X, Y)
    before = dict(vars(search))
    search.set_params(**settings)
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y)
    fitted = {name: value for name, value in before.items() if name.endswith("_")}
    assert all(vars(search)[name] is value for name, value in fitted.items())


def test_unknown_metadata_is_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        GDLinearRegressorCV(epochs=2).fit(X, Y, colour=1)
