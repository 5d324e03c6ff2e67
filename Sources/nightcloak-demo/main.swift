// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

// Signals are blocked before there is a second thread.
Signals.block(Demo.endings)
spawn { await Demo().run() }
EventLoop.run()
