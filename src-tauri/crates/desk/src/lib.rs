//! What a window or a terminal drives: runs, problems, views.
