// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a process holds at one moment.
public struct Footprint: Sendable {
  /// Its memory in use (VmRSS), in KiB.
  public let memory: Int
  /// Its open descriptors.
  public let descriptors: Int

  /// Describes one.
  public init(memory: Int, descriptors: Int) {
    self.memory = memory
    self.descriptors = descriptors
  }

  /// Looks at a process.
  public init(of pid: Int32) {
    let status = readFile("/proc/\(pid)/status")
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    memory = line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    var count = 0
    if let directory = opendir("/proc/\(pid)/fd") {
      while readdir(directory) != nil { count += 1 }
      closedir(directory)
    }
    descriptors = max(0, count - 2)
  }
}
