"""The version that all distributions and images share."""

VERSION = "0.1.0"
