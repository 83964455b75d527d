"""Records of one entity with the indexes that queries need."""
