// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// How much memory a process holds, what it shares with others in parts (PSS), in KiB; 0 where the kernel does not tell.
public func proportionalMemory(of pid: Int32) -> Int {
  let line = readFile("/proc/\(pid)/smaps_rollup").split(separator: "\n").first { $0.hasPrefix("Pss:") }
  return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
}

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
