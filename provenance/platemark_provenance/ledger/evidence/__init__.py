"""Evidence about one clip in one file that anyone can check; see `bundle`, `building` and `checking`."""
