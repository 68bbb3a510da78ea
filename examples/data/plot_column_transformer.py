"""
Tables with categories go through a ColumnTransformer
=====================================================

The regressors are the last step of a pipeline, like any estimator of scikit-learn. The iris data
have numbers and a category, the species.
"""

# %%
# The numbers need no scaler: the descent is preconditioned. The species becomes three columns, of
# which one is dropped.
import matplotlib.pyplot as plt
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_gd import GDLinearRegressor

iris = load_iris(as_frame=True)
table = iris.data.assign(species=iris.target_names[iris.target])
X, y = table.drop(columns="petal width (cm)"), table["petal width (cm)"]

columns = make_column_transformer(
    (OneHotEncoder(drop="first", sparse_output=False), ["species"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
).set_output(transform="pandas")
model = make_pipeline(columns, GDLinearRegressor(lr="auto", epochs=20)).fit(X, y)
print(model[-1].equation())
folds = KFold(10, shuffle=True, random_state=0)
print(
    f"R² on held-out rows: {cross_val_score(model, X, y, cv=folds).mean():.2f} (mean of 10 folds)"
)

# %%
predicted = cross_val_predict(model, X, y, cv=folds)
ax = plt.subplots(layout="constrained")[1]
styles = zip(iris.target_names, ("#0072B2", "#D55E00", "#009E73"), "os^", strict=True)
for name, color, marker in styles:
    rows = X["species"] == name
    ax.plot(predicted[rows], y[rows], marker, color=color, markersize=5, label=name)
ax.axline((1, 1), slope=1, color="grey", zorder=0)
ax.set(xlabel="Predicted petal width (cm)", ylabel="Petal width (cm)")
ax.set_title("Held-out flowers of all species lie along the diagonal")
ax.legend()
plt.show()
