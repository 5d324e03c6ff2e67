// SPDX-License-Identifier: Apache-2.0
// Linux constants that the Swift importer does not see, or sees with an awkward type.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const uint32_t linux_epoll_in = EPOLLIN;
static const uint32_t linux_epoll_out = EPOLLOUT;
static const uint32_t linux_epoll_error = EPOLLERR;
static const uint32_t linux_epoll_hang_up = EPOLLHUP;
static const int linux_epoll_cloexec = EPOLL_CLOEXEC;
static const int linux_eventfd_flags = EFD_NONBLOCK | EFD_CLOEXEC;
static const int linux_signalfd_flags = SFD_NONBLOCK | SFD_CLOEXEC;
static const int linux_timerfd_flags = TFD_NONBLOCK | TFD_CLOEXEC;
static const int linux_timerfd_absolute = TFD_TIMER_ABSTIME;
static const int linux_timerfd_cancel_on_set = TFD_TIMER_CANCEL_ON_SET;

// A socket that the kernel tells of links, addresses and routes on; -1 where there is none.
static inline int linux_open_netlink(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct sockaddr_nl address = {
      .nl_family = AF_NETLINK,
      .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
  };
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

// Takes a connection without ever waiting, and so that no program that is started at this moment gets it too.
static inline int linux_accept(int fd) {
  return (int)syscall(SYS_accept4, fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// getopt(3) keeps its state in global variables, which Swift rightly does not let anybody touch.
static inline int linux_getopt_index(void) { return optind; }
static inline const char *linux_getopt_value(void) { return optarg; }
static inline void linux_getopt_silence(void) { opterr = 0; }
// To read another command line from its beginning.
static inline void linux_getopt_restart(void) { optind = 0; }

// Reads what is there from a pipe or a socket without ever waiting: O_NONBLOCK would be a promise of whoever shares the
// descriptor, and can be taken back at any time. splice(2) is told for itself, and moves at most what `via` takes in.
static inline ssize_t linux_read_now(int fd, void *buffer, size_t size) {
  ssize_t count = recv(fd, buffer, size, MSG_DONTWAIT);
  if (count >= 0 || errno != ENOTSOCK) return count;
  int via[2];
  if (syscall(SYS_pipe2, via, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  count = syscall(SYS_splice, fd, NULL, via[1], NULL, size, 2u /* SPLICE_F_NONBLOCK */);
  if (count > 0) count = read(via[0], buffer, (size_t)count);
  int error = errno;
  close(via[0]);
  close(via[1]);
  errno = error;
  return count;
}
