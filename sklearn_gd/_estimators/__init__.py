"""The estimators: scikit-learn's interface to training. No file here imports torch when loaded."""
