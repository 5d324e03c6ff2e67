// SPDX-License-Identifier: Apache-2.0

import Glibc
import PackagePlugin

/// Runs `dbus-codegen` over each file of `dbus-interfaces/` (one build command per file).
@main struct DBusCodegenPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let directory = context.package.directoryURL.appendingPathComponent("dbus-interfaces")
    let tool = try context.tool(named: "dbus-codegen")
    return names(in: directory.path).filter { $0.hasSuffix(".xml") }.sorted().map { name in
      let file = directory.appendingPathComponent(name)
      let output = context.pluginWorkDirectoryURL.appendingPathComponent(name.dropLast(4) + ".swift")
      return .buildCommand(
        displayName: "Generating \(output.lastPathComponent)", executable: tool.url,
        arguments: [file.path, output.path], inputFiles: [file], outputFiles: [output])
    }
  }

  private func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }
}
