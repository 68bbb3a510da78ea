"""The film: its numbers, its recurrence in JavaScript, and what a browser draws."""

import json
import re
import shutil
import subprocess
from functools import partial
from html import unescape

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_gd import DescentPathDisplay, GDLinearRegressor, GDPolynomialRegressor, minimize
from tests._inspection.reference import LINE, LINE_Y, X, Y, bowl, parabola, quietly

FAMILY = [
    {},
    {"momentum": 0.8},
    {"momentum": 0.5, "nesterov": True},
    {"momentum": 0.5, "dampening": 0.3},
    {"momentum": 0.3, "weight_decay": 0.2},
]


def film_of(display):
    page = display.to_html()
    return json.loads(re.search(r'type="application/json">(.*?)</script>', page, re.S)[1])


def rerun(film):
    """The last point and loss of the numbers of a film, by the update rule of torch's SGD."""
    curvature = np.array(film["curvatures"])
    excess, moves = np.array(film["excess"]), np.array(film["moves"])
    distance, buffer = -np.ones_like(curvature), None  # in units of the way to the optimum
    for _ in range(film["steps"]):
        gradient = curvature * distance + film["weightDecay"] * (distance + 1)
        if film["momentum"]:
            if buffer is None:
                buffer = gradient
            else:
                buffer = film["momentum"] * buffer + (1 - film["dampening"]) * gradient
            gradient = gradient + film["momentum"] * buffer if film["nesterov"] else buffer
        distance = distance - film["lr"] * gradient
    point = film["start"] + (1 + distance) @ moves
    return point, film["minimum"] + excess @ distance**2


class TestNumbers:
    @pytest.mark.parametrize("precondition", [None, "standardize", "whiten"])
    @pytest.mark.parametrize("options", FAMILY)
    def test_they_end_where_the_fit_ends(self, precondition, options):
        model = GDLinearRegressor(
            precondition=precondition, lr=0.02, epochs=50, optimizer_params=options, alpha=0.1
        )
        display = DescentPathDisplay.from_estimator(model, X, Y, features=(2, 0))
        film = film_of(display)
        fitted = quietly(model.fit, X, Y)
        point, loss = rerun(film)
        np.testing.assert_allclose(point, fitted.coef_[[2, 0]], rtol=1e-9)
        np.testing.assert_allclose(loss, fitted.loss_, rtol=1e-9)
        assert (film["lr"], film["steps"]) == (0.02, 50)
        momentum, is_nesterov = options.get("momentum", 0.0), options.get("nesterov", False)
        assert (film["momentum"], film["nesterov"]) == (momentum, is_nesterov)

    def test_the_textbook_in_numpy(self):
        model = GDLinearRegressor(precondition=None, lr=0.1, epochs=30)
        film = film_of(DescentPathDisplay.from_estimator(model, LINE, LINE_Y))
        table, theta = np.column_stack([LINE[:, 0], np.ones(len(LINE))]), np.zeros(2)
        for _ in range(30):
            theta = theta - 0.1 * 2 * table.T @ (table @ theta - LINE_Y) / len(LINE)
        point, loss = rerun(film)
        np.testing.assert_allclose(point, theta, rtol=1e-10)
        np.testing.assert_allclose(loss, np.mean((table @ theta - LINE_Y) ** 2), rtol=1e-9)
        hessian = 2 * table.T @ table / len(LINE)
        np.testing.assert_allclose(film["hessian"], hessian, rtol=1e-7)
        np.testing.assert_allclose(np.sort(film["curvatures"]), np.linalg.eigvalsh(hessian))
        np.testing.assert_allclose(film["optimum"], [2, -1], atol=1e-9)
        assert not film["note"]  # the two parameters are all

    @pytest.mark.parametrize("shape", ["wide", "one row", "dependent", "constant", "1e10", "1e-10"])
    def test_shapes_of_data(self, shape):
        rng = np.random.default_rng(3)
        x, lr = rng.normal(size=(12, 3)) + 1, 0.05
        if shape == "wide":
            x = rng.normal(size=(4, 9))
        elif shape == "one row":
            x = x[:1]
        elif shape == "dependent":
            x[:, 1] = 2 * x[:, 0]
        elif shape == "constant":
            x[:, 1] = 4
        else:
            x = x * float(shape)
        y = rng.normal(size=len(x)) + 3
        for precondition in ("standardize", "whiten"):
            model = GDLinearRegressor(
                precondition=precondition, lr=lr, epochs=60, alpha=0.01, fit_intercept=len(x) > 1
            )
            display = DescentPathDisplay.from_estimator(model, x, y)
            point, loss = rerun(film_of(display))
            fitted = quietly(model.fit, x, y)
            size = np.abs(fitted.coef_).max()
            np.testing.assert_allclose(point, fitted.coef_[:2], rtol=1e-8, atol=1e-8 * size)
            np.testing.assert_allclose(loss, fitted.loss_, rtol=1e-8, atol=1e-12)

    def test_a_polynomial_and_its_others(self):
        y = LINE[:, 0] ** 3 + 2 * LINE[:, 0] + 3
        model = GDPolynomialRegressor(degree=3, lr=0.1, epochs=40)
        film = film_of(DescentPathDisplay.from_estimator(model, LINE, y, features=("x0", "x0^2")))
        fitted = quietly(model.fit, LINE, y)
        np.testing.assert_allclose(rerun(film)[0], fitted.coef_[:2], rtol=1e-8, atol=1e-12)
        assert film["note"] == (
            "The contours are those where all other coefficients are at their optimum."
        )

    def test_functions(self):
        options = {"momentum": 0.6}
        for fun, x0 in [(bowl, [3.0, 1.0]), (parabola, 7.0)]:
            result = minimize(fun, x0, lr=0.03, epochs=40, optimizer_params=options)
            film = film_of(DescentPathDisplay.from_function(fun, result))
            assert (film["lr"], film["momentum"], film["steps"]) == (0.03, 0.6, 40)
            point, value = rerun(film)
            np.testing.assert_allclose(point, np.ravel(result.x), rtol=1e-8)
            np.testing.assert_allclose(value, result.fun, rtol=1e-8)
        minimum = film["minimum"], film["optimum"]
        np.testing.assert_allclose(minimum[0], 1.0)
        np.testing.assert_allclose(minimum[1], [2.0])

    def test_steps_after_a_divergence_and_very_many_steps(self):
        result = minimize(parabola, 7.0, lr=1.5, epochs=200)
        display = DescentPathDisplay.from_function(parabola, result)
        assert display.diverged
        assert len(display.path) < 100 == film_of(display)["steps"]
        x = np.linspace(-1.0, 1.0, 9)
        path = 0.999 ** np.arange(10_500.0)[:, None]
        long = DescentPathDisplay(
            path=path, values=path[:, 0] ** 2, grid=[x], surface=x**2, labels=["x"]
        )
        film = film_of(long)
        assert (film["lr"], film["steps"]) == (0.0005, 10_000)

    def test_labels_cannot_end_the_data(self):
        name = "</script><b>&"
        frame = pd.DataFrame({name: LINE[:, 0]})
        display = DescentPathDisplay.from_estimator(GDLinearRegressor(), frame, LINE_Y)
        assert name not in display.to_html()
        assert film_of(display)["labels"] == [f"Coefficient of {name}", "Intercept"]


class TestPage:
    def test_it_needs_nothing_from_elsewhere(self):
        page = DescentPathDisplay.from_estimator(GDLinearRegressor(), LINE, LINE_Y).to_html()
        assert page.startswith("<!DOCTYPE html>")
        assert "default-src 'none'" in page
        assert set(re.findall(r"https?://\S+", page)) <= {'http://www.w3.org/2000/svg",'}
        assert not re.search(r"\b(src|href|import|fetch)\s*[=(]", page)

    def test_every_control_has_a_name_and_every_reference_a_target(self):
        page = DescentPathDisplay.from_estimator(GDLinearRegressor(), LINE, LINE_Y).to_html()
        names = re.findall(r'\bid="([\w-]+)"', page)
        assert len(set(names)) == len(names)
        sliders = re.findall(r'<input id="([\w-]+)" type="range"', page)
        assert sliders == re.findall(r'<label for="([\w-]+)"', page) == ["lr", "momentum", "step"]
        references = re.findall(r'\b(?:aria-labelledby|aria-describedby|for)="([^"]+)"', page)
        assert {name for reference in references for name in reference.split()} <= set(names)
        assert set(re.findall(r'byId\("([\w-]+)"\)', page)) <= set(names)

    def test_a_file(self, tmp_path):
        display = DescentPathDisplay.from_estimator(GDLinearRegressor(), LINE, LINE_Y)
        for path in (tmp_path / "film.html", str(tmp_path / "other.html")):
            assert display.to_html(path) is None
        assert (tmp_path / "film.html").read_text(encoding="utf-8") == display.to_html()
        with pytest.raises(FileNotFoundError):
            display.to_html(tmp_path / "none" / "film.html")

    def test_a_notebook(self):
        display = DescentPathDisplay.from_estimator(GDLinearRegressor(), LINE, LINE_Y)
        frame = display._repr_html_()
        assert unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == display.to_html()
        other = DescentPathDisplay.from_function(quartic, minimize(quartic, 1.0, epochs=5))
        assert other._repr_html_() is None

    @pytest.mark.parametrize(
        "options",
        [
            {"loss": "huber", "loss_params": {"delta": 0.1}},
            {"optimizer": "adam"},
            {"batch_size": 7},
            {"alpha": 0.1, "l1_ratio": 0.5},
            {"lr_scheduler": partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.9)},
        ],
    )
    def test_other_fits_get_a_sentence(self, options):
        model = GDLinearRegressor(precondition="standardize", epochs=20, **options)
        display = DescentPathDisplay.from_estimator(model, X, Y)
        with pytest.raises(ValueError, match="to_html shows gradient descent with or without"):
            display.to_html()

    def test_a_path_that_two_parameters_do_not_explain(self):
        # the right path, and losses that other parameters changed too
        x, path = np.linspace(-1.0, 1.0, 9), 0.9 ** np.arange(20.0)[:, None]
        values = path[:, 0] ** 2
        options = {"path": path, "grid": [x], "surface": x**2, "labels": ["x"]}
        assert DescentPathDisplay(values=values, **options).to_html()
        with pytest.raises(ValueError, match="to_html shows"):
            DescentPathDisplay(values=values + 0.1 * 0.5 ** np.arange(20), **options).to_html()

    def test_other_functions_get_a_sentence(self):
        def saddle(x):
            return x[0] ** 2 - x[1] ** 2

        cases = [
            (quartic, {"x0": 1.0}),
            (saddle, {"x0": [1.0, 0.1]}),
            (bowl, {"x0": [3.0, 1.0], "optimizer": "adam"}),
            (bowl, {"x0": [0.0, 0.0]}),
            (lambda x: 2 * x, {"x0": 1.0}),
        ]
        for fun, options in cases:
            display = DescentPathDisplay.from_function(fun, minimize(fun, epochs=9, **options))
            with pytest.raises(ValueError, match="quadratic with a minimum"):
                display.to_html()


def quartic(x):
    return x**4


@pytest.mark.parametrize("options", FAMILY)
def test_the_recurrence_in_node(options):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed, so the JavaScript of the film was not run")
    model = GDLinearRegressor(
        precondition="standardize", lr=0.02, epochs=50, optimizer_params=options
    )
    display = DescentPathDisplay.from_estimator(model, X, Y)
    page, film = display.to_html(), film_of(display)
    code = re.search(r'<script id="descent">(.*?)</script>', page, re.S)[1]
    code += (
        f"const film = {json.dumps(film)};"
        "const {points, excess} = descend(film, film.lr, film.momentum);"
        "const bound = largestStableLr(film, film.momentum);"
        "console.log(JSON.stringify({points, excess, bound}));"
    )
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    np.testing.assert_allclose(found["points"], display.path, rtol=1e-9, atol=1e-12)
    losses = film["minimum"] + np.array(found["excess"])
    np.testing.assert_allclose(losses, display.values, rtol=1e-9)
    fitted = quietly(model.fit, X, Y)
    np.testing.assert_allclose(found["bound"], fitted.max_stable_lr_, rtol=1e-9)


class TestBrowser:
    """What Chromium draws after a script has moved the sliders."""

    @pytest.fixture
    def browser(self):
        names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            pytest.skip("Chromium is not installed, so the film was not opened in a browser")
        return found

    @pytest.fixture
    def drawn(self, browser, tmp_path):
        def run(display, script=""):
            """The page after a script and after the time that playing takes."""
            path = tmp_path / "film.html"
            page = display.to_html().replace("</body>", f"<script>{script}</script></body>")
            path.write_text(page, encoding="utf-8")
            command = [browser, "--headless", "--no-sandbox", "--disable-gpu"]
            command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=390,900"]
            command += ["--virtual-time-budget=9000", "--dump-dom", path.as_uri()]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            return done.stdout

        return run

    def test_it_plays_to_the_end_of_the_fit(self, drawn):
        model = GDLinearRegressor(precondition=None, lr=0.05, epochs=40)
        display = DescentPathDisplay.from_estimator(model, LINE, LINE_Y)
        dom = drawn(display)
        assert ">40 of 40</output>" in dom
        assert drawn_end(dom, film_of(display)) == pytest.approx(display.path[-1], abs=0.01)

    def test_the_loss_and_its_minimum_have_digits_that_tell_them_apart(self, drawn):
        result = minimize(parabola, 7.0, lr=0.1, epochs=35)
        dom = drawn(DescentPathDisplay.from_function(parabola, result))
        shown = re.search(r"f\(x\) = ([\d.]+), and its minimum is ([\d.]+)\.<", dom)
        assert float(shown[2]) == 1.0
        # every step multiplies the distance from x = 2 by 0.8
        assert float(shown[1]) - 1.0 == pytest.approx((5 * 0.8**35) ** 2, abs=5e-8)

    def test_units_far_from_one(self, drawn):
        model = GDLinearRegressor(lr=0.05, epochs=40)
        display = DescentPathDisplay.from_estimator(model, LINE * 1e-12, LINE_Y * 1e9 + 1e12)
        dom, film = drawn(display), film_of(display)
        width = np.ptp(film["view"], axis=1)
        assert (np.abs(drawn_end(dom, film) - display.path[-1]) < 1e-3 * width).all()
        # the curvature of the contours, in pixels, is that of the Hessian
        box = frame_of(picture(dom))
        pixels = np.array([box["width"], box["height"]]) / width
        hessian = np.array(film["hessian"]) / np.outer(pixels, pixels)
        ellipses = re.findall(r'<ellipse [^>]*rx="([^"]*)" ry="([^"]*)"', dom)
        radii = np.array(ellipses, dtype=float)
        assert len(radii) == 12
        ratio = np.sqrt(np.divide(*np.linalg.eigvalsh(hessian)))
        np.testing.assert_allclose(radii.min(axis=1) / radii.max(axis=1), ratio, rtol=1e-4)

    def test_moved_sliders(self, drawn):
        model = GDLinearRegressor(precondition=None, lr=0.05, epochs=40)
        display = DescentPathDisplay.from_estimator(model, LINE, LINE_Y)
        film = film_of(display)
        low, high = film["lrLimits"]
        position = round(1000 * np.log(0.1 / low) / np.log(high / low))
        dom = drawn(
            display,
            f"const moved = [['lr', {position}], ['momentum', 0.5]];"
            "for (const [id, value] of moved) { const slider = document.getElementById(id);"
            "slider.value = value; slider.dispatchEvent(new Event('input')); }",
        )
        lr = low * (high / low) ** (position / 1000)
        fitted = quietly(
            model.set_params(lr=lr, optimizer_params={"momentum": 0.5}).fit, LINE, LINE_Y
        )
        expected = [fitted.coef_[0], fitted.intercept_]
        assert drawn_end(dom, film) == pytest.approx(expected, abs=0.01)
        status = re.search(r'id="status"[^>]*>([^<]*)<', dom)[1]
        shown = [float(n) for n in re.findall(r"= (-?[\d.]+)[,;]", status.replace("\u2212", "-"))]
        np.testing.assert_allclose(shown[:2], expected, rtol=1e-4)
        bound = re.search(r"largest stable learning rate: ([\d.]+)", dom)[1]
        np.testing.assert_allclose(float(bound), fitted.max_stable_lr_, rtol=1e-3)

    def test_a_divergence_is_told_and_stays_inside_of_the_frame(self, drawn):
        model = GDLinearRegressor(precondition=None, lr=0.9, epochs=40)
        display = DescentPathDisplay.from_estimator(model, LINE, LINE_Y)
        assert display.diverged
        dom = drawn(display)
        assert ">Diverged: after" in dom
        plane = picture(dom)
        box, cross = frame_of(plane), re.search(r'class="lost inside" d="M(\S+) (\S+)l', plane)
        left, top = float(cross[1]), float(cross[2])
        assert box["x"] <= left <= left + 12 <= box["x"] + box["width"]
        assert box["y"] <= top <= top + 12 <= box["y"] + box["height"]


def picture(dom):
    return re.search(r'<svg id="plane".*?</svg>', dom, re.S)[0]


def frame_of(plane):
    tag = re.search(r'<rect ([^>]*class="frame"[^>]*)>', plane)[1]
    return {key: float(value) for key, value in re.findall(r'(\w+)="([\d.]+)"', tag)}


def drawn_end(dom, film):
    """The parameters where the last mark is drawn."""
    plane = picture(dom)
    box, tag = frame_of(plane), re.search(r'<circle class="end" ([^>]*)>', plane)[1]
    mark = {key: float(value) for key, value in re.findall(r'(\w+)="([-\d.]+)"', tag)}
    across, up = film["view"]
    right = (mark["cx"] - box["x"]) / box["width"]
    above = 1 - (mark["cy"] - box["y"]) / box["height"]
    return [across[0] + right * (across[1] - across[0]), up[0] + above * (up[1] - up[0])]
