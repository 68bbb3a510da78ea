"""Searches can be watched and stopped."""

import numpy as np
import pytest
from sklearn.callback import ScoringMonitor

from sklearn_gd import GDLinearRegressor, GDLinearRegressorCV
from sklearn_gd._model_selection import batched_fit
from tests._model_selection.reference import LRS, X, Y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Counter:
    """A callback that counts tasks, and asks to stop at one of them."""

    def __init__(self, stop_at=None):
        self.stop_at, self.ended, self.expected = stop_at, 0, None

    def setup(self, estimator, context):
        self.expected = context.max_subtasks

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.ended += 1
        return self.ended == self.stop_at


@pytest.mark.parametrize("options", [{}, {"loss": "huber"}, {"alphas": (0.0, 1.0)}])
def test_callbacks_follow_the_descent_and_may_end_it(options):
    counter = Counter(stop_at=7)
    search = GDLinearRegressorCV(epochs=30, **options).set_callbacks(counter).fit(X, Y)
    assert (counter.expected, counter.ended) == (30, 8)  # the fit itself is a task
    assert search.n_iter_ == 7
    options.pop("alphas", None)
    plain = GDLinearRegressor(epochs=7, lr=search.lr_, alpha=search.alpha_, **options).fit(X, Y)
    np.testing.assert_allclose(search.coef_, plain.coef_, rtol=1e-10)


def test_callbacks_follow_every_descent(monkeypatch):
    """Groups of runs, and cells one by one: fits of all, those on all data included."""
    monkeypatch.setattr(batched_fit, "_CURVE_ENTRIES", 2 * 5)
    counter = Counter()
    GDLinearRegressorCV(lrs=LRS, epochs=5, cv=3).set_callbacks(counter).fit(X, Y)
    assert counter.ended == counter.expected + 1 == (3 + 1) * 2 * 5 + 1
    counter = Counter()
    search = GDLinearRegressorCV(lrs=LRS, epochs=5, cv=3, batch_size=200, random_state=0)
    search.set_callbacks(counter).fit(X, Y)
    assert counter.ended == counter.expected + 1 == (3 * 3 + 1) * 5 + 1
    counter = Counter(stop_at=2)
    search.set_callbacks(counter).fit(X, Y)
    assert counter.ended == (3 * 3 + 1) * 2 + 1
    assert search.n_iter_ == 2


def test_scoring_monitor_sees_the_fitted_search():
    """Candidates still race in an epoch, so that there is no model to score before the end."""
    monitor = ScoringMonitor(scoring="r2")
    search = GDLinearRegressorCV(epochs=5).set_callbacks(monitor).fit(X, Y)
    log = monitor.get_logs().data_as_pandas
    assert log["task_name"].tolist() == ["fit"]
    assert log["r2"].item() == pytest.approx(search.score(X, Y))


def test_progress_bar(capsys):
    GDLinearRegressorCV(epochs=5, verbose=1).fit(X, Y)
    printed = capsys.readouterr().out
    assert "GDLinearRegressorCV - fit" in printed
    assert "100%" in printed


class Tasks(Counter):
    """Keeps the names and numbers of the tasks that begin."""

    def on_fit_task_begin(self, estimator, context):
        self.tasks.append((context.task_name, context.task_id))


@pytest.mark.parametrize("options", [{}, {"batch_size": 200, "random_state": 0}])
def test_epochs_are_numbered_through_all_descents(options):
    callback = Tasks()
    callback.tasks = []
    search = GDLinearRegressorCV(lrs=LRS, epochs=4, cv=2, **options)
    search.set_callbacks(callback).fit(X, Y)
    assert callback.tasks == [("fit", 0), *[("epoch", k) for k in range(callback.expected)]]
