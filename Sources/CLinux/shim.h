// SPDX-License-Identifier: Apache-2.0
// Linux constants that the Swift importer does not see, or sees with an awkward type.
#pragma once
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

static const uint32_t linux_epoll_in = EPOLLIN;
static const uint32_t linux_epoll_out = EPOLLOUT;
static const uint32_t linux_epoll_error = EPOLLERR;
static const uint32_t linux_epoll_hang_up = EPOLLHUP;
static const int linux_epoll_cloexec = EPOLL_CLOEXEC;
static const int linux_eventfd_flags = EFD_NONBLOCK | EFD_CLOEXEC;
static const int linux_signalfd_flags = SFD_NONBLOCK | SFD_CLOEXEC;
static const int linux_timerfd_flags = TFD_NONBLOCK | TFD_CLOEXEC;
static const int linux_timerfd_absolute = TFD_TIMER_ABSTIME;

// getopt(3) keeps its state in global variables, which Swift rightly does not let anybody touch.
static inline int linux_getopt_index(void) { return optind; }
static inline const char *linux_getopt_value(void) { return optarg; }
static inline void linux_getopt_silence(void) { opterr = 0; }
