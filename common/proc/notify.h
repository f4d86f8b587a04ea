/* SPDX-License-Identifier: MIT */
/*
 * notify: telling the service manager how this process stands, as sd_notify(3)
 * does, without its library. A datagram to the socket in NOTIFY_SOCKET.
 */
#ifndef PROC_NOTIFY_H
#define PROC_NOTIFY_H

/*
 * Remember NOTIFY_SOCKET and take it out of the environment, so that no child
 * speaks for us. To be called once, at start. Source: sd_notify(3).
 */
void notify_take(void);

/*
 * Send lines of KEY=value ("READY=1", "STOPPING=1"). Returns 0, also when
 * there is nobody to tell, or -errno. Never waits.
 */
int notify_send(const char *lines);

#endif
