"""What a film shows: ensembles of hops, fits, figures of merit, closed forms and what is assumed."""
