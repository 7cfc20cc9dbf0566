"""Maps: of outlines, with geopandas, or of tiles."""
