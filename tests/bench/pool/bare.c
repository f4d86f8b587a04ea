/* SPDX-License-Identifier: MIT */
/*
 * bare: the least program that can answer: a dynamic C program that takes a
 * connection on descriptor 3 and writes a fixed answer to what it reads. What
 * it costs to fork and exec this is the measure for everything else.
 */
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Connection: close\r\n"
    "Content-Length: 46\r\n\r\n"
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}";

int
main(void)
{
	char request[4096];

	for (;;) {
		const int fd = accept(3, NULL, NULL);

		if (fd < 0)
			return 1;
		if (read(fd, request, sizeof(request)) <= 0 ||
		    write(fd, answer, sizeof(answer) - 1) < 0)
			return 1;
		close(fd);
	}
}
