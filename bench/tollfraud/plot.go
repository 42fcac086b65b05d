package main

const plotted = "spread"

func draw(file string, plays []*play) error { return nil }
