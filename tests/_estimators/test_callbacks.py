"""Long fits can be watched, stopped and interrupted without losing anything."""

import copy

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_gd import GDLinearRegressor, GDPolynomialRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, Y = load_diabetes(return_X_y=True)
X = X[:, :3]
BOTH = [GDLinearRegressor, GDPolynomialRegressor]


class Recorder:
    """A third-party callback that needs nothing of this package."""

    def __init__(self, target=None, interrupt_at=None):
        self.target, self.interrupt_at = target, interrupt_at
        self.began, self.ended, self.scores = [], [], []

    def setup(self, estimator, context):
        self.is_set_up = True

    def teardown(self, estimator, context):
        self.is_set_up = False

    def on_fit_task_begin(self, estimator, context):
        self.began.append((context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.ended.append((context.task_name, context.task_id))
        self.scores.append(np.mean((fitted_estimator.predict(X) - y) ** 2))
        if self.interrupt_at is not None and context.task_id == self.interrupt_at:
            raise KeyboardInterrupt
        return self.target is not None and self.scores[-1] < self.target


@pytest.mark.parametrize("kind", BOTH)
def test_one_task_an_epoch(kind):
    recorder = Recorder()
    model = kind(epochs=7, lr=0.1).set_callbacks(recorder).fit(X, Y)
    epochs = [("epoch", t) for t in range(7)]
    assert recorder.began == [("fit", 0), *epochs]
    assert recorder.ended == [*epochs, ("fit", 0)]
    assert not recorder.is_set_up
    # an epoch's end is where the next begins
    np.testing.assert_allclose(recorder.scores[:6], model.loss_curve_[1:])
    np.testing.assert_allclose(recorder.scores[6:], model.loss_)
    unwatched = kind(epochs=7, lr=0.1).fit(X, Y)
    np.testing.assert_array_equal(unwatched.coef_, model.coef_)
    assert not [name for name in vars(model) if "callback" in name and name != "_skl_callbacks"]


HUBER = {"loss": "huber", "loss_params": {"delta": 50.0}}


@pytest.mark.parametrize("options", [{}, {"batch_size": 200, "random_state": 0}, HUBER])
def test_a_callback_stops_at_a_target_loss(options):
    recorder = Recorder(target=5000.0)
    model = GDLinearRegressor(epochs=500, lr=0.01, **options).set_callbacks(recorder).fit(X, Y)
    assert 2 < model.n_iter_ < 500
    assert model.n_iter_ == len(model.loss_curve_)
    assert np.mean((model.predict(X) - Y) ** 2) < 5000.0
    shorter = GDLinearRegressor(epochs=model.n_iter_, lr=0.01, **options).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, shorter.coef_)


TOL = {"epochs": 500, "lr": 0.1, "tol": 1e-3, "n_iter_no_change": 3}


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam", "lr": 1.0},
        {"optimizer": "rprop"},
        {"batch_size": 100, "random_state": 0},
        {**HUBER, "lr": 0.5},
        {"early_stopping": True, "random_state": 0},
    ],
    ids=str,
)
def test_callbacks_are_told_of_the_epochs_that_count_and_of_no_more(options, kind):
    """The loop looks at many epochs together, but not while somebody watches."""
    recorder = Recorder()
    model = kind(**{**TOL, **options}).set_callbacks(recorder).fit(X, Y)
    assert 3 < model.n_iter_ < 500
    epochs = [("epoch", t) for t in range(model.n_iter_)]
    assert recorder.began == [("fit", 0), *epochs]
    assert recorder.ended == [*epochs, ("fit", 0)]
    unwatched = kind(**{**TOL, **options}).fit(X, Y)
    assert unwatched.n_iter_ == model.n_iter_
    np.testing.assert_array_equal(unwatched.coef_, model.coef_)
    np.testing.assert_array_equal(unwatched.loss_curve_, model.loss_curve_)


def test_callbacks_of_a_diverging_fit_are_told_of_the_epochs_that_count():
    recorder = Recorder()
    model = GDLinearRegressor(lr=1.5, epochs=500).set_callbacks(recorder).fit(X, Y)
    assert model.diverged_
    # whitened, the distance from the optimum is doubled until the loss is 1e8 times the first
    best = 1.0 - GDLinearRegressor(lr="auto", epochs=20).fit(X, Y).score(X, Y)
    n_iter = next(t for t in range(99) if best + (1 - best) * 4.0**t > 1e8)
    assert [name for name, _ in recorder.ended].count("epoch") == model.n_iter_ == n_iter
    # the last score is that of the fit, whose parameters are those of the lowest loss
    assert recorder.scores[-1] == pytest.approx(model.loss_)
    assert recorder.scores[-2] > 1e8 * model.loss_


def test_scoring_monitor_gives_a_row_an_epoch():
    monitor = ScoringMonitor(scoring="r2")
    model = GDLinearRegressor(epochs=12, lr=0.1).set_callbacks(monitor).fit(X, Y)
    log = monitor.get_logs().data_as_pandas
    rows = log[log["task_name"] == "epoch"]
    assert len(rows) == 12
    np.testing.assert_allclose(rows["r2"].iloc[:-1], 1 - model.loss_curve_[1:] / Y.var())
    assert rows["r2"].iloc[-1] == pytest.approx(model.score(X, Y))


def test_scoring_monitor_with_weights():
    weight = np.random.default_rng(0).uniform(size=len(Y))
    monitor = ScoringMonitor(scoring="neg_mean_squared_error")
    model = GDLinearRegressor(epochs=3).set_callbacks(monitor).fit(X, Y, sample_weight=weight)
    log = monitor.get_logs().data_as_pandas
    scores = log[log["task_name"] == "epoch"]["neg_mean_squared_error"]
    np.testing.assert_allclose(-scores.iloc[:-1], model.loss_curve_[1:])


def test_progress_bar_through_search_and_pipeline(capsys):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), GDLinearRegressor(epochs=5)),
        {"gdlinearregressor__lr": [0.01, 0.1]},
        cv=2,
        n_jobs=2,
    )
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    printed = capsys.readouterr().out
    for name in ("GridSearchCV", "Pipeline", "GDLinearRegressor"):
        assert name in printed
    assert "100%" in printed


@pytest.mark.parametrize("kind", BOTH)
def test_verbose_shows_the_progress_bar_and_leaves_nothing(kind, capsys):
    model = kind(epochs=5, verbose=1).fit(X, Y)
    printed = capsys.readouterr().out
    assert kind.__name__ in printed
    assert "100%" in printed
    assert not [name for name in vars(model) if "callback" in name]
    model.set_params(verbose=0).fit(X, Y)
    assert capsys.readouterr().out == ""


def test_verbose_in_a_search(capsys):
    search = GridSearchCV(GDLinearRegressor(epochs=5, verbose=1), {"lr": [0.01, 0.1]}, cv=2)
    search.fit(X, Y)
    printed = capsys.readouterr().out
    # the fits inside are the search's to show; nobody asked it to
    assert printed == ""
    assert not [name for name in vars(search.best_estimator_) if "callback" in name]
    pipeline = make_pipeline(StandardScaler(), GDLinearRegressor(epochs=5, verbose=1)).fit(X, Y)
    assert not [name for name in vars(pipeline[-1]) if "callback" in name]


def test_verbose_leaves_the_users_callbacks_alone(capsys):
    recorder = Recorder()
    model = GDLinearRegressor(epochs=3, verbose=1).set_callbacks(recorder).fit(X, Y)
    assert capsys.readouterr().out == ""
    assert model._skl_callbacks == [recorder]
    assert len(recorder.ended) == 4


@pytest.mark.parametrize("how", ["callback", "loss"])
@pytest.mark.parametrize("kind", BOTH)
def test_ctrl_c_leaves_the_estimator_as_it_was(kind, how):
    model = kind(epochs=50).fit(X, Y)
    before = copy.copy(vars(model))
    interrupt(model, how, 20)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    model.set_callbacks().set_params(loss="squared_error")
    assert vars(model) == before


@pytest.mark.parametrize("how", ["callback", "loss"])
@pytest.mark.parametrize("kind", BOTH)
def test_ctrl_c_keeps_the_complete_epochs_of_a_warm_start(kind, how):
    options = {"epochs": 50, "lr": 0.02, "loss": squared}
    model = kind(warm_start=True, **options).fit(X, Y)
    interrupt(model, how, 20)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    expected = kind(warm_start=True, **options).fit(X, Y).set_params(epochs=model.n_iter_ - 50)
    expected.fit(X, Y)
    assert model.n_iter_ == 50 + (21 if how == "callback" else 20)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    np.testing.assert_array_equal(model.loss_curve_, expected.loss_curve_)


def test_ctrl_c_in_a_pass_leaves_the_passes_before():
    model = GDLinearRegressor(batch_size=20, random_state=0).partial_fit(X, Y)
    before = copy.copy(vars(model))
    interrupt(model, "loss", 5)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, Y)
    assert vars(model.set_params(loss="squared_error")) == before


def squared(prediction, target):
    return (prediction - target) ** 2


def interrupt(model, how, epoch):
    """Let Ctrl-C come in an epoch."""
    if how == "callback":
        model.set_callbacks(Recorder(interrupt_at=epoch))
        return
    steps = 0

    def loss(prediction, target):
        nonlocal steps
        if prediction.requires_grad and target.shape[-2] > 3:  # not the trial of three samples
            steps += 1
            if steps > epoch:
                raise KeyboardInterrupt
        return squared(prediction, target)

    model.set_params(loss=loss)
