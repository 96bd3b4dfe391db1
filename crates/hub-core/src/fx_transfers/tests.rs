//! The rules of conversions.
