"""The recipes of docs/works_with.md, for those packages that are installed for the tests."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor
from tests import clients

X, Y = load_diabetes(return_X_y=True, as_frame=True)


def recipe(package):
    """The variables of a recipe."""
    if clients.version(package) is None:
        pytest.skip(f"{package} is not installed")
    return clients.run(package)


def test_mapie_covers_what_it_promises():
    intervals = recipe("mapie")["intervals"]
    inside = (intervals[:, 0, 0] <= Y) & (intervals[:, 1, 0] >= Y)
    assert 0.87 <= inside.mean() <= 0.99


@pytest.mark.filterwarnings("default")  # what is deprecated inside of the package
def test_feature_engine_drops_the_same_as_with_scikit_learn():
    dropped = recipe("feature-engine")["result"]
    from feature_engine.selection import RecursiveFeatureElimination

    select = RecursiveFeatureElimination(LinearRegression(), scoring="r2", cv=3).fit(X, Y)
    assert 0 < len(select.features_to_drop_) < X.shape[1]
    assert dropped == select.features_to_drop_


@pytest.mark.filterwarnings("default")
def test_skrub_encodes_the_texts():
    names = recipe("skrub")
    assert names["result"] > GDLinearRegressor(lr="auto", epochs=20).fit(X, Y).score(X, Y)


def test_every_recipe_is_code_for_a_package_of_the_table():
    page = clients.PAGE.read_text(encoding="utf-8")
    found = clients.recipes()
    assert len(found) > 10
    for package, code in found.items():
        compile(code, package, "exec")
        assert "result" in code
        assert f"| {package} |" in page


def test_polynomials_have_more_coefficients_than_features():
    # the reason of the advice of the page
    model = GDPolynomialRegressor(lr="auto", epochs=20).fit(X, Y)
    plain = model.to_sklearn()
    assert model.coef_.shape == (65,)
    assert plain[-1].coef_.shape == (65,) == (plain[:-1].transform(X).shape[1],)
    np.testing.assert_allclose(plain.predict(X), model.predict(X), rtol=1e-9)
