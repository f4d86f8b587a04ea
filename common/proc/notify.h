/* SPDX-License-Identifier: MIT */
/*
 * notify: telling the service manager how this process stands, as sd_notify(3)
 * does, without its library. A datagram to the socket in NOTIFY_SOCKET.
 */
#ifndef PROC_NOTIFY_H
#define PROC_NOTIFY_H

#include <stdint.h>

/*
 * Remember NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and take them out of
 * the environment, so that no child speaks for us. To be called once, at start.
 * Source: sd_notify(3), sd_watchdog_enabled(3).
 */
void notify_take(void);

/*
 * How often "WATCHDOG=1" is to be sent, in ms: twice in the time after which
 * the service manager would kill us. 0: it does not wait for that.
 */
int64_t notify_watchdog_ms(void);

/*
 * Send lines of KEY=value ("READY=1", "STOPPING=1"). Returns 0, also when
 * there is nobody to tell, or -errno. Never waits.
 */
int notify_send(const char *lines);

#endif
