//! Measures over rows with known causes, from a seed.
