"""What Ray Tune asks for: a searcher, a scheduler and a callback, of our studies and for any Tuner."""
