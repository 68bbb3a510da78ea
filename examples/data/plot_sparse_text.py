"""
Sparse counts of words are fitted as they are
=============================================

A thousand short reviews, and the stars that came with them. The matrix of word counts is sparse,
and stays sparse.
"""

# %%
# The reviews are made of random words, some of which tell what the writer thinks.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from sklearn_gd import GDLinearRegressor

rng = np.random.default_rng(0)
opinions = {"superb": 1.5, "good": 1.0, "decent": 0.4, "dull": -0.6, "broken": -1.5, "awful": -1.8}
words = np.array([*opinions, *(f"word{k}" for k in range(2000))])
chances = np.r_[np.full(6, 0.02), np.full(2000, 0.88 / 2000)]
drawn = rng.choice(len(words), size=(1000, 20), p=chances)
reviews = [" ".join(words[row]) for row in drawn]
effects = np.r_[list(opinions.values()), np.zeros(2000)]
stars = 3 + effects[drawn].sum(axis=1) + 0.5 * rng.normal(size=1000)

counter = CountVectorizer()
X = counter.fit_transform(reviews)
print(f"{X.shape[0]} x {X.shape[1]}, {X.nnz / np.prod(X.shape):.1%} of the counts are not zero")

# %%
# There are more words than reviews. The L1 penalty chooses words.
model = GDLinearRegressor(
    alpha=0.1, l1_ratio=1.0, lr="auto", epochs=200, optimizer_params={"momentum": 0.9}
).fit(X, stars)
names = counter.get_feature_names_out()
print(f"{(model.coef_ != 0).sum()} words have a coefficient")

# %%
found = np.flatnonzero(model.coef_)
ax = plt.subplots(layout="constrained")[1]
ax.barh(names[found], model.coef_[found], color="#0072B2", label="coefficient")
true = [opinions.get(name, 0.0) for name in names[found]]
ax.plot(true, names[found], "D", color="#D55E00", label="true effect")
ax.axvline(0, color="black", linewidth=0.8)
ax.set(xlabel="Stars for each occurrence")
ax.set_title("The penalty finds the six words and shrinks their effects")
ax.legend(loc="lower right")
plt.show()
