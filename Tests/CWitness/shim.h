// SPDX-License-Identifier: Apache-2.0
// What the tests need of Linux and Swift cannot see.
#pragma once
#include <sys/syscall.h>
#include <sys/types.h>
#include <spawn.h>
#include <unistd.h>

// The effective user of the calling thread alone: glibc's seteuid changes that of every thread of the process.
static inline int witness_thread_euid(uid_t uid) {
  return (int)syscall(SYS_setresuid, (uid_t)-1, uid, (uid_t)-1);
}

// Becomes readable when the process ends.
static inline int witness_process_descriptor(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

// Lets a child inherit no descriptor from `from` on: tests beside the one that starts it close theirs to be heard. (glibc
// 2.34; its header shows it to GNU sources alone.)
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// A pipe that children do not inherit.
static inline int witness_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, 02000000 /* O_CLOEXEC */); }

// A connection that waits, as a socket that does not block and that children do not inherit.
static inline int witness_accept(int listener) {
  return (int)syscall(SYS_accept4, listener, (void *)0, (void *)0, 02004000 /* SOCK_CLOEXEC | SOCK_NONBLOCK */);
}
