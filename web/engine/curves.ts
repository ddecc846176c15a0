export type FadeShape = "linear" | "equal-power" | "smooth" | "decibel";
