"""One module a part, each with `measure(place, findings)`; their order is in `gpu.plan`."""
