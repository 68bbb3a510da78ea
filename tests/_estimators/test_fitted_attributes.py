"""What the estimators promise beside their numbers."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.polynomial import Polynomial
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import PolynomialFeatures

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

X, Y = load_diabetes(return_X_y=True)
X4 = X[:, :4]
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


def hessian(X, *, ones):
    table = np.hstack([np.ones((len(X), 1)), X]) if ones else X
    return 2 * table.T @ table / len(X)


@pytest.mark.parametrize("kind", BOTH)
def test_fitted_attributes(kind):
    model = kind(epochs=70, lr=0.2).fit(X4, Y)
    assert model.loss_curve_.shape == (70,)
    assert model.n_iter_ == 70
    assert model.lr_ == 0.2
    assert model.max_stable_lr_ == pytest.approx(1.0)
    assert model.precondition_ == "whiten"
    assert model.diverged_ is False
    assert model.n_features_in_ == 4
    # the intercept starts at the mean, so that the first loss is the variance
    assert model.loss_curve_[0] == pytest.approx(Y.var())
    assert model.loss_ == pytest.approx(np.mean((model.predict(X4) - Y) ** 2))
    assert np.all(np.diff(model.loss_curve_) <= 1e-9)
    for value in vars(model).values():
        assert not isinstance(value, torch.Tensor)


def test_without_an_intercept():
    model = GDLinearRegressor(fit_intercept=False).fit(X, Y)
    assert model.intercept_ == 0.0
    assert model.loss_curve_[0] == pytest.approx(np.mean(Y**2))


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({}, lambda largest: 2 / largest),
        ({"momentum": 0.8}, lambda largest: 2 * 1.8 / largest),
        ({"momentum": 0.8, "dampening": 0.5}, lambda largest: 2 * 1.8 / (0.5 * largest)),
        ({"momentum": 0.8, "nesterov": True}, lambda largest: 2 * 1.8 / (2.6 * largest)),
        ({"weight_decay": 0.3}, lambda largest: 2 / (largest + 0.3)),
    ],
)
@pytest.mark.parametrize("precondition", ["whiten", "standardize", None])
def test_largest_stable_lr(precondition, options, bound):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + 1.0
    y = data @ [1.0, 2.0, 3.0] + rng.normal(size=50)
    centred = data - data.mean(axis=0)
    largest = {
        "whiten": 2.0,
        "standardize": np.linalg.eigvalsh(hessian(centred / centred.std(axis=0), ones=False))[-1],
        None: np.linalg.eigvalsh(hessian(data, ones=True))[-1],
    }[precondition]
    model = GDLinearRegressor(
        precondition=precondition, optimizer_params=options, lr=1e-9, epochs=1
    )
    with pytest.warns(ConvergenceWarning, match="far from the optimum"):
        model.fit(data, y)
    limit = bound(largest)
    assert model.max_stable_lr_ == pytest.approx(limit, rel=1e-9)
    stable = model.set_params(lr=0.99 * limit, epochs=3000).fit(data, y)
    assert not stable.diverged_
    with pytest.warns(ConvergenceWarning, match="diverged"):
        assert model.set_params(lr=1.01 * limit).fit(data, y).diverged_


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "rprop"])
def test_no_largest_stable_lr_where_there_is_none(optimizer):
    model = GDLinearRegressor(optimizer=optimizer, lr="auto", epochs=2000).fit(X, Y)
    assert model.max_stable_lr_ is None
    assert model.lr_ == (1.0 if optimizer == "lbfgs" else 0.01)


def test_auto_lr_is_one_over_the_curvature():
    model = GDLinearRegressor(lr="auto").fit(X, Y)
    assert model.lr_ == 0.5
    raw = GDLinearRegressor(lr="auto", precondition=None, epochs=10)
    with pytest.warns(ConvergenceWarning, match="far from the optimum"):
        raw.fit(X, Y)
    assert raw.lr_ == pytest.approx(1 / np.linalg.eigvalsh(hessian(X, ones=True))[-1])


def test_divergence_keeps_the_lowest_point():
    with pytest.warns(
        ConvergenceWarning, match=r"GDLinearRegressor diverged in epoch 14 with"
    ) as w:
        model = GDLinearRegressor(lr=1.5).fit(X, Y)
    assert w[0].filename == __file__
    assert "largest stable lr is 1 " in str(w[0].message)
    assert model.diverged_
    assert model.n_iter_ == len(model.loss_curve_) == 14
    # whitened, the distance from the optimum doubles in every epoch
    best = np.mean((Y - GDLinearRegressor(lr="auto").fit(X, Y).predict(X)) ** 2)
    np.testing.assert_allclose(
        model.loss_curve_, best + (Y.var() - best) * 4.0 ** np.arange(14), rtol=1e-9
    )
    assert model.loss_curve_[-1] <= 1e8 * Y.var() < best + (Y.var() - best) * 4.0**14
    assert model.loss_ == pytest.approx(Y.var())
    np.testing.assert_allclose(model.coef_, 0.0)


def test_a_run_that_ends_above_its_start_has_diverged():
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 5"):
        model = GDLinearRegressor(lr=1.1, epochs=5).fit(X, Y)
    assert model.diverged_
    assert model.n_iter_ == 5


def test_overflow_is_divergence():
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model = GDLinearRegressor(lr=1e200, epochs=20).fit(X, Y)
    assert model.diverged_
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.loss_curve_).all()


def test_a_descent_that_cannot_begin_is_an_error():
    with pytest.raises(ValueError, match="loss of GDLinearRegressor is not finite where"):
        GDLinearRegressor().fit(X, Y * 1e305)
    with pytest.raises(ValueError, match=r"not finite.*check the 'loss'"):
        GDLinearRegressor(loss=lambda p, t: (p - t).log()).fit(X, Y)


def test_unfinished():
    with pytest.warns(ConvergenceWarning, match="far from the optimum at epoch 20 with lr=0.01"):
        model = GDLinearRegressor(epochs=20).fit(X, Y)
    assert not model.diverged_


def test_tol_stops_exactly():
    model = GDLinearRegressor(tol=1e-4, n_iter_no_change=3, lr=0.1, epochs=500).fit(X, Y)
    curve = GDLinearRegressor(lr=0.1, epochs=500).fit(X, Y).loss_curve_
    falls = -np.diff(curve)
    slow = falls < 1e-4 * curve[0]
    expected = next(t for t in range(3, 500) if slow[t - 3 : t].all()) + 1
    assert model.n_iter_ == expected
    np.testing.assert_array_equal(model.loss_curve_, curve[:expected])
    again = GDLinearRegressor(lr=0.1, epochs=expected).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, again.coef_)


@pytest.mark.parametrize("n_iter_no_change", [1, 7, 64, 65, 200])
def test_tol_does_not_depend_on_when_the_loop_looks(n_iter_no_change):
    model = GDLinearRegressor(
        optimizer="adam", tol=1e-3, n_iter_no_change=n_iter_no_change, epochs=3000
    ).fit(X, Y)
    best, quiet = np.inf, 0
    curve = GDLinearRegressor(optimizer="adam", epochs=3000).fit(X, Y).loss_curve_
    for epoch, value in enumerate(curve):  # noqa: B007
        quiet = 0 if best - value >= 1e-3 * curve[0] else quiet + 1
        best = min(best, value)
        if quiet == n_iter_no_change:
            break
    assert model.n_iter_ == epoch + 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("precondition", ["auto", "standardize", None])
@pytest.mark.parametrize("targets", [1, 2])
def test_warm_start_goes_on(kind, precondition, targets):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(60, 2)) + 0.5
    y = np.squeeze(data @ rng.normal(size=(2, targets)) + rng.normal(size=(60, targets)))
    options = {"precondition": precondition, "lr": 0.02}
    whole = kind(epochs=500, **options).fit(data, y)
    parts = kind(epochs=200, warm_start=True, **options)
    parts.fit(data, y).set_params(epochs=300).fit(data, y)
    assert parts.n_iter_ == 500
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-8)
    np.testing.assert_allclose(parts.intercept_, whole.intercept_, rtol=1e-8)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-8)


def test_warm_start_at_the_optimum_is_no_divergence():
    model = GDLinearRegressor(lr="auto", warm_start=True).fit(X, Y)
    assert not model.fit(X, Y).diverged_


def test_warm_start_needs_the_same_shapes():
    model = GDLinearRegressor(warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match=r"1 targets on 10 features.*X has 4 features.*warm_start"):
        model.fit(X4, Y)
    model = GDPolynomialRegressor(degree=2, warm_start=True).fit(X4, Y)
    with pytest.raises(ValueError, match=r"degree=2.*now they are 3.*warm_start=False"):
        model.set_params(degree=3).fit(X4, Y)


@pytest.mark.parametrize("kind", BOTH)
def test_a_failed_fit_leaves_the_earlier_one_whole(kind, monkeypatch):
    from sklearn_gd import _descent

    frame = pd.DataFrame(X4, columns=list("abcd"))
    model = kind().fit(frame, Y)
    before = copy.copy(vars(model))
    for bad, error in [
        (lambda: model.fit(X[:, :3], Y[:-1]), ValueError),
        (lambda: model.fit(np.full((9, 2), np.nan), np.ones(9)), ValueError),
        (lambda: copy.copy(model).set_params(lr=-1).fit(X, Y), ValueError),
    ]:
        with pytest.raises(error):
            bad()
        assert vars(model) == before

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_descent._Watch, "look", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert vars(model) == before


def test_a_refit_leaves_nothing_of_the_earlier_one():
    model = GDLinearRegressor().fit(pd.DataFrame(X4, columns=list("abcd")), Y)
    assert not hasattr(model.fit(X4, Y), "feature_names_in_")


@pytest.mark.parametrize("kind", BOTH)
def test_not_fitted(kind):
    for call in (lambda m: m.predict(X), lambda m: m.equation(), lambda m: m.to_sklearn()):
        with pytest.raises(NotFittedError):
            call(kind())


PARAMETERS = {
    "lr": [0, -1.0, float("nan"), float("inf"), True, "fast", None, [0.1]],
    "epochs": [0, -3, 1.5, True, "many"],
    "optimizer": ["sdg", "Adam", 3, None, lambda params: None],
    "optimizer_params": [3, "momentum", {"lr": 0.1}, {"beta": 1}, {"momentum": -1}],
    "device": ["gpu", "cuda:x", 0, None],
    "fit_intercept": [None, "yes", 1],
    "precondition": ["svd", True, 1],
    "tol": [-1e-3, "auto", True, float("nan")],
    "n_iter_no_change": [0, 2.5],
    "warm_start": [None, 1],
    "verbose": [-1, "yes", None],
}
POLYNOMIAL = {"degree": [0, -1, 1.5, True, "two", (1, 2)], "interaction_only": [None, 2]}


@pytest.mark.parametrize("kind", BOTH)
def test_bad_parameters_are_named(kind):
    cases = PARAMETERS if kind is GDLinearRegressor else {**PARAMETERS, **POLYNOMIAL}
    for name, values in cases.items():
        for value in values:
            model = kind(**{name: value})
            with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__}"):
                model.fit(X4, Y)
            assert "coef_" not in vars(model)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimizer_params": {"lr": 0.1}}, "must not hold 'lr': set the 'lr' parameter"),
        ({"optimizer_params": {"maximize": True}}, "must not hold 'maximize'"),
        ({"optimizer": lambda p: torch.optim.SGD(p, lr=1, maximize=True)}, "must minimize"),
        ({"optimizer": "muon"}, "cannot be Muon: it steps on matrices"),
        ({"optimizer": "sparseadam"}, "cannot be SparseAdam: it needs sparse"),
        ({"optimizer": torch.optim.SparseAdam}, "cannot be SparseAdam"),
        ({"optimizer_params": {"momentum": -1}}, "Invalid momentum value"),
        ({"optimizer": "rmspop"}, r"must be one of \['adadelta', .*Got 'rmspop' instead"),
        ({"optimizer": lambda p: 3}, "a callable that returns a torch.optim.Optimizer"),
        ({"device": "mps"}, "no float64"),
        ({"device": "cuda:99"}, r"'cuda:99' is not available.*'cpu'"),
        ({"random_state": "seed"}, "cannot be used to seed"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        GDLinearRegressor(**options).fit(X, Y)


def test_whitening_too_much_is_refused(monkeypatch):
    from sklearn_gd import _problem

    monkeypatch.setattr(_problem, "_WHITEN_AT_MOST", 5)
    assert GDLinearRegressor(lr="auto").fit(X4, Y).precondition_ == "whiten"
    assert GDLinearRegressor(lr="auto", epochs=9999).fit(X, Y).precondition_ == "standardize"
    with pytest.raises(ValueError, match="needs a factor of 10 x 10.*'standardize'"):
        GDLinearRegressor(precondition="whiten").fit(X, Y)


def test_equation():
    frame = pd.DataFrame({"age": [0.0, 1, 2, 3], "bmi": [1.0, 0, 1, 0]})
    y = 3 + 2 * frame["age"] - 0.5 * frame["bmi"]
    model = GDLinearRegressor(lr="auto").fit(frame, y)
    assert model.equation() == "y = 3 + 2 age - 0.5 bmi"
    both = GDLinearRegressor(lr="auto").fit(frame, np.column_stack([y, -1.23456 * frame["age"]]))
    assert both.equation(digits=3).splitlines()[0] == "y0 = 3 + 2 age - 0.5 bmi"
    still = GDLinearRegressor(fit_intercept=False).fit(frame, y * 0)
    assert still.equation() == "y = 0"
    squares = GDPolynomialRegressor(lr="auto", fit_intercept=False).fit(
        [[1.0], [2], [3]], [-1, -4, -9]
    )
    assert squares.equation(digits=6).endswith("1 x0^2")


@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize("names", [None, list("abcd")])
def test_polynomial_attributes(interaction_only, names):
    data = X4 if names is None else pd.DataFrame(X4, columns=names)
    model = GDPolynomialRegressor(degree=3, interaction_only=interaction_only).fit(data, Y)
    reference = PolynomialFeatures(3, interaction_only=interaction_only, include_bias=False)
    reference.fit(data)
    np.testing.assert_array_equal(model.powers_, reference.powers_)
    np.testing.assert_array_equal(model.feature_names_out_, reference.get_feature_names_out())
    assert model.n_output_features_ == len(model.powers_) == model.coef_.shape[-1]
    np.testing.assert_allclose(
        reference.transform(data) @ model.coef_ + model.intercept_, model.predict(data)
    )


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("targets", [1, 2])
def test_to_sklearn(kind, targets):
    frame = pd.DataFrame(X4, columns=list("abcd"))
    y = Y if targets == 1 else np.column_stack([Y, X[:, 5]])
    model = kind(lr="auto").fit(frame, y)
    twin = model.to_sklearn()
    np.testing.assert_allclose(twin.predict(frame), model.predict(frame), rtol=1e-9, atol=1e-9)
    assert list(twin.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        twin.predict(frame[["b", "a", "c", "d"]])


def test_to_polynomial():
    x = np.linspace(-2, 3, 30)
    model = GDPolynomialRegressor(degree=3, lr="auto").fit(x[:, None], x**3 - 2 * x + 1)
    polynomial = model.to_polynomial()
    assert isinstance(polynomial, Polynomial)
    np.testing.assert_allclose(polynomial.coef, [1, -2, 0, 1], atol=1e-12)
    np.testing.assert_allclose(polynomial(x), model.predict(x[:, None]))
    with pytest.raises(ValueError, match="one feature and one target.*to_sklearn"):
        GDPolynomialRegressor().fit(X4, Y).to_polynomial()


def test_degree_of_the_fit_counts_when_predicting():
    model = GDPolynomialRegressor(degree=2).fit(X4, Y)
    before = model.predict(X4)
    np.testing.assert_array_equal(model.set_params(degree=5).predict(X4), before)


@pytest.mark.parametrize("kind", BOTH)
def test_pickle(kind):
    model = kind().fit(X4, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X4), model.predict(X4))
    assert b"sklearn_gd._" not in pickle.dumps(model)
