"""Where clients connect: the socket, the queue of jobs, and the workers that are started."""
