"""Changes of formulas that nothing could notice, each with the reason."""

from __future__ import annotations

ROUNDING = "a bound of rounding or of overflow, or a comparison that is level for no number that occurs"
MEMORY = "how much is held at once or by how many threads; the numbers are the same"
LENGTH = "a cosine knows no length"
AS_MANY = "numpy takes any negative size for as many as there are"
SORTED = "what is partitioned one place further is as sorted up to here"
FIRST_ROW = "the first row of the answer is taken"
SIGN = "a direction and its opposite are the same axis, of which only squares count"
NO_GROWTH = "without more models, or without two halves, nothing grows"
OF_TWO = "of two numbers, the mean is the median"
AS_LARGE = "of equally many models in every space, the largest mean is the largest sum"
ONLY_DUPLICATES = "what is left is at distance 0 and keeps its order"
BELOW_ALL = "any number below 0 says that it is taken"
NOTHING_BY_ANYTHING = "what is divided is 0"
AT_LEAST_ONE = "one sample is the least in any case"
REPLACED = "a beginning that the first step replaces"
SAME_FIT = "a second fit with the same slopes free finds the same"
NOT_TAKEN = "below the joint the other branch is taken"
FURTHER = "when to stop: a step more or less, below what is told apart"
IN_COMMON = "what all samples have in common falls out: along an axis their weights sum to 0"
COLLINEAR = "two that are one have shares of 0, or no numbers, and fit nothing"
FOUND_ANYWAY = "of nothing, or of fewer than two, no merge is found in any case"
BELOW_SHARES = "any number below 0 stands for a pair that does not fit"
AS_MANY_AS_THERE_ARE = "the least of all cuts nothing off"
SUM_TO_ONE = "a common factor, which falls out where shares are made to sum to 1"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "calibration",
        "n10_skewness",
        "1e-09 * len(bank_scores)  in  return float((deviation ** 3).mean() / spread ** 3) if spread > 1e-09 * len(bank_scores) else 0.0",
        "1e-09",
    ): ROUNDING,
    (
        "calibration",
        "n10_skewness",
        "1e-09  in  return float((deviation ** 3).mean() / spread ** 3) if spread > 1e-09 * len(bank_scores) else 0.0",
        "2e-09",
    ): ROUNDING,
    (
        "calibration",
        "when_to_correct",
        "n10_skewness(bank_scores) > SKEWED  in  return n10_skewness(bank_scores) > SKEWED",
        "n10_skewness(bank_scores) >= SKEWED",
    ): ROUNDING,
    ("calibration", "_or_one", "1  in  return np.where(spread > 0, spread, 1)", "2"): NOTHING_BY_ANYTHING,
    (
        "calibration",
        "positive",
        "scale > 1e-06 * max(1.0, abs(location))  in  return float(scale) if scale > 1e-06 * max(1.0, abs(location)) else 1.0",
        "scale >= 1e-06 * max(1.0, abs(location))",
    ): ROUNDING,
    ("calibration", "best_of_more", "n < 2 or n >= M", "n < 2 and n >= M"): NO_GROWTH,
    ("calibration", "best_of_more", "n >= M", "n > M"): NO_GROWTH,
    (
        "calibration",
        "best_of_more",
        "np.mean([(best - half)[both].mean() for half in halves])  in  growth = float(np.mean([(best - half)[both].mean() for half in halves])) if both.any() else 0.0",
        "np.median([(best - half)[both].mean() for half in halves])",
    ): OF_TWO,
    ("calibration", "relevance", "700  in  body = 1 / (1 + np.exp(-np.clip(x, -700, joint)))", "701"): ROUNDING,
    (
        "calibration",
        "relevance",
        "np.maximum(x - joint, 0)  in  beyond = np.maximum(x - joint, 0)",
        "x - joint",
    ): NOT_TAKEN,
    (
        "calibration",
        "relevance",
        "x > joint  in  return np.nan_to_num(np.where(x > joint, 1 - (1 - TAIL) / (1 + TAIL * beyond / 2) ** 2, body), nan=0.0)",
        "x >= joint",
    ): ROUNDING,
    (
        "coarse",
        "basis",
        "1  in  along = (axes * np.sqrt(variances)[..., None]).reshape(-1, axes.shape[-1])",
        "2",
    ): AS_MANY,
    (
        "coarse",
        "basis",
        "np.ascontiguousarray(directions[:, ::-1].T[:width], np.float32)  in  return np.ascontiguousarray(directions[:, ::-1].T[:width], np.float32)",
        "-np.ascontiguousarray(directions[:, ::-1].T[:width], np.float32)",
    ): SIGN,
    (
        "coarse",
        "rows_of",
        "1  in  rows['axes'][:, :r] = np.rint(W / np.where(step > 0, step, 1)[:, None, None])",
        "2",
    ): NOTHING_BY_ANYTHING,
    (
        "coarse",
        "Coarse._on_axes",
        "1  in  found[:, some] = (along @ self._axes(some).reshape(-1, K).T).reshape(len(h), -1, RANK)",
        "2",
    ): AS_MANY,
    (
        "coarse",
        "Coarse._axes",
        "self.rows['axes'][some].astype(np.float32) * self.rows['step'][some, None, None]  in  return self.rows['axes'][some].astype(np.float32) * self.rows['step'][some, None, None]",
        "-(self.rows['axes'][some].astype(np.float32) * self.rows['step'][some, None, None])",
    ): SIGN,
    ("coarse", "Coarse._at_once", "1  in  return max(1, BLOCK // (4 * RANK * len(self.basis)))", "2"): MEMORY,
    (
        "coarse",
        "Coarse._at_once",
        "BLOCK // (4 * RANK * len(self.basis))  in  return max(1, BLOCK // (4 * RANK * len(self.basis)))",
        "BLOCK * (4 * RANK * len(self.basis))",
    ): MEMORY,
    (
        "coarse",
        "Coarse._at_once",
        "4 * RANK * len(self.basis)  in  return max(1, BLOCK // (4 * RANK * len(self.basis)))",
        "4 * RANK",
    ): MEMORY,
    ("coarse", "Coarse._at_once", "4 * RANK  in  return max(1, BLOCK // (4 * RANK * len(self.basis)))", "4"): MEMORY,
    ("coarse", "Coarse._at_once", "4  in  return max(1, BLOCK // (4 * RANK * len(self.basis)))", "5"): MEMORY,
    ("confidence", "probability", "50  in  return 1 / (1 + np.exp(-np.clip(logit, -50, 50)))", "51"): ROUNDING,
    ("confidence", "fit", "3  in  penalty, w = (np.diag([0.001, RIDGE, RIDGE]), np.zeros(3))", "4"): REPLACED,
    (
        "confidence",
        "fit",
        "w > 0  in  free = (w > 0) | np.array([True, False, False]) if free is None else free",
        "w >= 0",
    ): SAME_FIT,
    ("confidence", "fit", "w[1:] >= 0", "w[1:] > 0"): SAME_FIT,
    ("confidence", "fit", "0", "1"): SAME_FIT,
    ("confidence", "_newton", "np.abs(step).max() < 1e-09", "np.abs(step).max() <= 1e-09"): ROUNDING,
    ("confidence", "_newton", "np.abs(step).max()", "np.abs(step).min()"): FURTHER,
    ("confidence", "_newton", "1e-09", "2e-09"): ROUNDING,
    (
        "confidence",
        "_newton",
        "np.clip(X @ w, -50, 50)  in  p = 1 / (1 + np.exp(-np.clip(X @ w, -50, 50)))",
        "X @ w",
    ): ROUNDING,
    ("confidence", "_newton", "50  in  p = 1 / (1 + np.exp(-np.clip(X @ w, -50, 50)))", "51"): ROUNDING,
    ("differences", "samples_needed", "1  in  c = np.clip(c, 0, 1)", "2"): AT_LEAST_ONE,
    ("evidence", "worth", "1  in  a, b = (a / (a.std() or 1), b / (b.std() or 1))", "2"): NOTHING_BY_ANYTHING,
    ("gaussian", "fit", "2 * D", "2"): MEMORY,
    ("gaussian", "fit", "2", "3"): MEMORY,
    (
        "gaussian",
        "deviations",
        "(samples - samples.mean(axis=-2, keepdims=True)) / np.sqrt(max(S - 1, 1))  in  return (samples - samples.mean(axis=-2, keepdims=True)) / np.sqrt(max(S - 1, 1))",
        "-((samples - samples.mean(axis=-2, keepdims=True)) / np.sqrt(max(S - 1, 1)))",
    ): SIGN,
    ("gaussian", "decomposed", "λ > NO_AXIS  in  seen = λ > NO_AXIS", "λ >= NO_AXIS"): ROUNDING,
    (
        "gaussian",
        "axes_of",
        "np.ascontiguousarray(U) @ X / _deviations_along(λ)[..., None]  in  return np.ascontiguousarray(U) @ X / _deviations_along(λ)[..., None]",
        "-(np.ascontiguousarray(U) @ X / _deviations_along(λ)[..., None])",
    ): SIGN,
    (
        "gaussian",
        "_deviations_along",
        "np.sqrt(np.where(λ > 0, λ, 1))  in  return np.sqrt(np.where(λ > 0, λ, 1))",
        "-np.sqrt(np.where(λ > 0, λ, 1))",
    ): SIGN,
    ("gaussian", "_deviations_along", "1  in  return np.sqrt(np.where(λ > 0, λ, 1))", "2"): NOTHING_BY_ANYTHING,
    (
        "gaussian",
        "Factored._of",
        "products.mean(axis=1, keepdims=True)  in  products -= products.mean(axis=1, keepdims=True)",
        "np.median(products, axis=1, keepdims=True)",
    ): IN_COMMON,
    ("gaussian", "log_density", "1  in  step = max(1, BLOCK // max(1, len(h) * r))", "2"): MEMORY,
    (
        "gaussian",
        "log_density",
        "BLOCK // max(1, len(h) * r)  in  step = max(1, BLOCK // max(1, len(h) * r))",
        "BLOCK * max(1, len(h) * r)",
    ): MEMORY,
    ("gaussian", "log_density", "len(h) * r  in  step = max(1, BLOCK // max(1, len(h) * r))", "len(h)"): MEMORY,
    (
        "gaussian",
        "log_density",
        "1  in  on_axes = (h @ V.reshape(-1, D).T).reshape(len(h), len(V), r) - gaussians.mean_on_axes[some]",
        "2",
    ): AS_MANY,
    (
        "gaussian",
        "mahalanobis",
        "np.maximum(squared - along.sum(axis=2), 0)  in  off_axes = np.maximum(squared - along.sum(axis=2), 0)",
        "squared - along.sum(axis=2)",
    ): ROUNDING,
    (
        "gaussian",
        "squared_distance",
        "np.maximum(squares - 2 * (a @ b.T), 0)  in  return np.maximum(squares - 2 * (a @ b.T), 0)",
        "squares - 2 * (a @ b.T)",
    ): ROUNDING,
    (
        "kernel_mean",
        "sharpened_weights",
        "1e-06  in  spreads = np.maximum(cosine.std(axis=-1, keepdims=True), 1e-06)",
        "2e-06",
    ): ROUNDING,
    ("kernel_mean", "fixed_point", "np.abs(r - before).max() < 1e-06", "np.abs(r - before).max() <= 1e-06"): ROUNDING,
    ("kernel_mean", "fixed_point", "1e-06", "2e-06"): ROUNDING,
    ("kernel_mean", "fixed_point", "np.abs(r - before)", "r - before"): FURTHER,
    ("kernel_mean", "fixed_point", "r - before", "r + before"): FURTHER,
    (
        "kernel_mean",
        "fixed_point",
        "np.maximum(np.diag(G) - 2 * G @ r + r @ G @ r, 0)  in  squared = np.maximum(np.diag(G) - 2 * G @ r + r @ G @ r, 0)",
        "np.diag(G) - 2 * G @ r + r @ G @ r",
    ): ROUNDING,
    (
        "kernel_mean",
        "shares",
        "logits - logits.max(initial=-np.inf, where=w > 0)  in  raw = w * np.exp(logits - logits.max(initial=-np.inf, where=w > 0)) if w.any() else np.ones(len(w))",
        "logits + logits.max(initial=-np.inf, where=w > 0)",
    ): SUM_TO_ONE,
    (
        "kernel_mean",
        "shares",
        "w > 0  in  raw = w * np.exp(logits - logits.max(initial=-np.inf, where=w > 0)) if w.any() else np.ones(len(w))",
        "w >= 0",
    ): SUM_TO_ONE,
    ("kinship", "kinship", "cosine < SAME", "cosine <= SAME"): ROUNDING,
    (
        "kinship",
        "kinship",
        "abs(ratio - 1) <= AS_STRONG  in  return Kinship.COPY if abs(ratio - 1) <= AS_STRONG else Kinship.SCALED",
        "abs(ratio - 1) < AS_STRONG",
    ): ROUNDING,
    (
        "kinship",
        "parts_of",
        "G[c] > 0  in  others = np.flatnonzero((G[c] > 0) & (np.diag(G) > 0) & (np.arange(len(G)) != c))",
        "G[c] >= 0",
    ): ROUNDING,
    (
        "kinship",
        "parts_of",
        "np.diag(G) > 0  in  others = np.flatnonzero((G[c] > 0) & (np.diag(G) > 0) & (np.arange(len(G)) != c))",
        "np.diag(G) >= 0",
    ): FOUND_ANYWAY,
    ("kinship", "parts_of", "G[c, c] <= 0 or len(others) < 2", "G[c, c] <= 0 and len(others) < 2"): FOUND_ANYWAY,
    ("kinship", "parts_of", "G[c, c] <= 0", "G[c, c] < 0"): FOUND_ANYWAY,
    (
        "kinship",
        "parts_of",
        "G[a, b] < unlike * np.sqrt(squares[a] * squares[b])  in  apart = G[a, b] < unlike * np.sqrt(squares[a] * squares[b])",
        "G[a, b] <= unlike * np.sqrt(squares[a] * squares[b])",
    ): ROUNDING,
    (
        "kinship",
        "parts_of",
        "determinant > 0  in  safe = np.where(determinant > 0, determinant, 1)",
        "determinant >= 0",
    ): COLLINEAR,
    ("kinship", "parts_of", "1  in  safe = np.where(determinant > 0, determinant, 1)", "2"): COLLINEAR,
    (
        "kinship",
        "parts_of",
        "beta > 0  in  fits = (determinant > 0) & apart & (alpha > 0) & (beta > 0)",
        "beta >= 0",
    ): ROUNDING,
    (
        "kinship",
        "parts_of",
        "alpha > 0  in  fits = (determinant > 0) & apart & (alpha > 0) & (beta > 0)",
        "alpha >= 0",
    ): ROUNDING,
    (
        "kinship",
        "parts_of",
        "determinant > 0  in  fits = (determinant > 0) & apart & (alpha > 0) & (beta > 0)",
        "determinant >= 0",
    ): COLLINEAR,
    (
        "kinship",
        "parts_of",
        "explained >= EXPLAINED  in  fits &= (explained >= EXPLAINED) & (explained - alone >= np.maximum(ADDED, 1 - explained))",
        "explained > EXPLAINED",
    ): ROUNDING,
    (
        "kinship",
        "parts_of",
        "explained - alone >= np.maximum(ADDED, 1 - explained)  in  fits &= (explained >= EXPLAINED) & (explained - alone >= np.maximum(ADDED, 1 - explained))",
        "explained - alone > np.maximum(ADDED, 1 - explained)",
    ): ROUNDING,
    ("kinship", "parts_of", "1  in  best = int(np.argmax(np.where(fits, explained, -1)))", "2"): BELOW_SHARES,
    (
        "logits",
        "hubness",
        "1  in  return np.partition(background_distance, k - 1, axis=0)[:k].mean(axis=0)",
        "2",
    ): SORTED,
    (
        "logits",
        "hubness_without_itself",
        ":k + 1  in  nearest = np.partition(background_distance, k, axis=0)[:k + 1]",
        ":k + 1 + 1",
    ): SORTED,
    (
        "logits",
        "hubness_without_itself",
        "1  in  nearest = np.partition(background_distance, k, axis=0)[:k + 1]",
        "2",
    ): SORTED,
    ("logits", "_on_all_cores", "1  in  parts = list(_slices(rows, max(1, BLOCK // max(1, width))))", "2"): MEMORY,
    (
        "logits",
        "_on_all_cores",
        "BLOCK // max(1, width)  in  parts = list(_slices(rows, max(1, BLOCK // max(1, width))))",
        "BLOCK * max(1, width)",
    ): MEMORY,
    ("logits", "_on_all_cores", "len(parts) < 2 * THREADS", "len(parts) <= 2 * THREADS"): MEMORY,
    ("logits", "_on_all_cores", "len(parts) < 2 * THREADS", "len(parts) > 2 * THREADS"): MEMORY,
    ("logits", "_on_all_cores", "2 * THREADS", "2 / THREADS"): MEMORY,
    ("logits", "_on_all_cores", "2 * THREADS", "2"): MEMORY,
    ("logits", "_on_all_cores", "2", "3"): MEMORY,
    (
        "ridge",
        "_with",
        "(D.sum(axis=0) - D) / (n - 1)  in  others = (D.sum(axis=0) - D) / (n - 1)",
        "(D.sum(axis=0) - D) * (n - 1)",
    ): LENGTH,
    (
        "ridge",
        "_with",
        "(D.sum(axis=0) - D) / (n - 1)  in  others = (D.sum(axis=0) - D) / (n - 1)",
        "D.sum(axis=0) - D",
    ): LENGTH,
    ("ridge", "_with", "n - 1  in  others = (D.sum(axis=0) - D) / (n - 1)", "n + 1"): LENGTH,
    ("ridge", "_with", "1  in  others = (D.sum(axis=0) - D) / (n - 1)", "2"): LENGTH,
    (
        "ridge",
        "_cosines",
        "1  in  return (A * B).sum(axis=1) / np.where(lengths > 0, lengths, 1)",
        "2",
    ): NOTHING_BY_ANYTHING,
    ("samples", "blocks", "1  in  rows = max(1, BLOCK // max(1, width))", "2"): MEMORY,
    ("samples", "taken", "1  in  return Z[first:last + 1].reshape(*rows.shape, -1)", "2"): AS_MANY,
    ("spread", "farthest_first", "1.0  in  distance[i] = -1.0", "2.0"): BELOW_ALL,
    ("spread", "farthest_first", "distance >= 0", "distance > 0"): ONLY_DUPLICATES,
    (
        "spread",
        "_distances",
        "np.maximum(total, 0)  in  return np.where(count > 0, np.maximum(total, 0) / np.maximum(count, 1), 1.0)",
        "total",
    ): ROUNDING,
    (
        "spread",
        "_most_usual",
        "X.sum(axis=0)  in  return int(np.argmax(sum((X @ X.sum(axis=0) for X in spaces))))",
        "X.mean(axis=0)",
    ): AS_LARGE,
    (
        "style",
        "Shortlist.__call__",
        "row:row + 1  in  distances[row, models] = self._exactly(q[row:row + 1], models)",
        "row:row + 1 + 1",
    ): FIRST_ROW,
    (
        "style",
        "Shortlist.__call__",
        "1  in  distances[row, models] = self._exactly(q[row:row + 1], models)",
        "2",
    ): FIRST_ROW,
    ("style", "euclidean", "np.maximum(squared, 0)  in  return np.sqrt(np.maximum(squared, 0))", "squared"): ROUNDING,
    (
        "logit_candidates",
        "within_reach",
        "SLACK * slope * len(z_texts)  in  reach, slack = (float(np.finfo(np.float32).min), SLACK * slope * len(z_texts))",
        "SLACK * slope / len(z_texts)",
    ): ROUNDING,
    (
        "logit_candidates",
        "within_reach",
        "SLACK * slope * len(z_texts)  in  reach, slack = (float(np.finfo(np.float32).min), SLACK * slope * len(z_texts))",
        "SLACK * slope",
    ): ROUNDING,
    (
        "logit_candidates",
        "within_reach",
        "SLACK * slope  in  reach, slack = (float(np.finfo(np.float32).min), SLACK * slope * len(z_texts))",
        "SLACK / slope",
    ): ROUNDING,
    (
        "logit_candidates",
        "within_reach",
        "SLACK * slope  in  reach, slack = (float(np.finfo(np.float32).min), SLACK * slope * len(z_texts))",
        "SLACK",
    ): ROUNDING,
    (
        "logit_candidates",
        "within_reach",
        "bounds >= reach - slack  in  left = np.flatnonzero(bounds >= reach - slack)",
        "bounds > reach - slack",
    ): ROUNDING,
    (
        "logit_candidates",
        "within_reach",
        "4  in  seeds = highest(bounds, SEEDS + 4 * k)",
        "5",
    ): MEMORY,
    (
        "logit_candidates",
        "highest",
        "len(values) <= count",
        "len(values) < count",
    ): AS_MANY_AS_THERE_ARE,
}
