// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target that ships. Tests go without strict memory safety: `#expect` expands to code it rejects.
let sourceSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]
let testSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

func layer(_ name: String, on dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: sourceSettings)
}

func program(_ name: String, on dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: sourceSettings)
}

func tests(of name: String, with dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: testSettings)
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

/// What the fuzz targets attack.
let fuzzed: [Target.Dependency] = [
  "EdgeCore", "EdgeHTTP", "EdgeHTTP2", "EdgeWebSocket", "EdgeAuth", "EdgeTLS", "EdgePolicy", "EdgeRouting", "EdgeRelay",
  "EdgeTelemetry", "EdgeConfig", "EdgeAdmin",
]

let package = Package(
  name: "sluice",
  products: [
    .executable(name: "sluice", targets: ["sluice"]),
    .executable(name: "sluicectl", targets: ["sluicectl"]),
    .executable(name: "chat-worker", targets: ["chat-worker"]),
    .executable(name: "sluice-bench", targets: ["sluice-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // C libraries: module maps with inline shims for what Swift cannot import.
    .systemLibrary(name: "CSystem"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CMicrohttpd", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .target(name: "COpenSSLMemory", linkerSettings: [.linkedLibrary("crypto")]),
    .target(name: "CAssets", exclude: ["api", "console", "page"]),

    // Layer 0
    layer("EdgeCore"),

    // Layer 1: pure. Bytes and `now` in, values out.
    layer("EdgeHTTP", on: ["EdgeCore"]),
    layer("EdgeWebSocket", on: ["EdgeCore", "EdgeHTTP"]),
    layer("EdgeAuth", on: ["EdgeCore"]),
    layer("EdgePolicy", on: ["EdgeCore"]),
    layer("EdgeRouting", on: ["EdgeCore", "EdgeHTTP"]),
    layer("EdgeRelay", on: ["EdgeCore", "EdgePolicy", "EdgeWebSocket"]),
    layer("EdgeTelemetry", on: ["EdgeCore", "EdgePolicy"]),
    layer("EdgeConfig", on: ["EdgeCore", "EdgeAuth", "EdgePolicy", "EdgeRouting", yams]),
    layer("ChatCore", on: ["EdgeCore"]),
    layer("ControlCore", on: ["EdgeCore"]),

    // Layer 2: input and output.
    layer("EdgeIO", on: ["EdgeCore", "CSystem"]),
    layer("EdgeTLS", on: ["EdgeCore", "EdgeAuth", "COpenSSL", "COpenSSLMemory"]),
    layer("EdgeHTTP2", on: ["EdgeCore", "EdgeHTTP", "EdgePolicy", "CNghttp2"]),
    layer("EdgeFetch", on: ["CCurl"]),
    layer("EdgeAdmin", on: ["EdgeCore", "EdgePolicy", "EdgeRouting", "EdgeTelemetry", "CAssets", "CMicrohttpd"]),

    // Layer 3: composition.
    layer(
      "EdgeServer",
      on: [
        "EdgeCore", "EdgeHTTP", "EdgeWebSocket", "EdgeAuth", "EdgePolicy", "EdgeRouting", "EdgeRelay",
        "EdgeTelemetry", "EdgeConfig", "EdgeIO", "EdgeTLS", "EdgeHTTP2", "EdgeFetch", "EdgeAdmin",
      ]),

    // Layer 4: programs.
    program(
      "sluice", on: ["EdgeServer", "EdgeConfig", "EdgeAuth", "EdgeTLS", "EdgeIO", "EdgeCore", "ControlCore", arguments]),
    program("sluicectl", on: ["ControlCore", "EdgeCore", "EdgeIO", "EdgeTLS", "EdgeFetch", arguments]),
    program(
      "chat-worker",
      on: [
        "ChatCore", "EdgeCore", "EdgeHTTP", "EdgeWebSocket", "EdgeAuth", "EdgeIO", "EdgeTLS", "CAssets",
        arguments,
      ]),
    program(
      "sluice-bench", on: ["EdgeCore", "EdgeHTTP", "EdgeWebSocket", "EdgeIO", "EdgeTLS", "CNghttp2", arguments, histogram]),

    tests(of: "EdgeCore"),
    tests(of: "EdgeHTTP", with: ["EdgeCore"]),
    tests(of: "EdgeWebSocket", with: ["EdgeCore", "EdgeHTTP"]),
    tests(of: "EdgeAuth", with: ["EdgeCore"]),
    tests(of: "EdgePolicy", with: ["EdgeCore"]),
    tests(of: "EdgeRouting", with: ["EdgeCore"]),
    tests(of: "EdgeRelay", with: ["EdgeCore", "EdgePolicy", "EdgeWebSocket"]),
    tests(of: "EdgeTelemetry", with: ["EdgeCore", "EdgePolicy"]),
    tests(of: "EdgeConfig", with: ["EdgeCore", "EdgeAuth", "EdgePolicy", "EdgeRouting"]),
    tests(of: "ChatCore", with: ["EdgeCore"]),
    tests(of: "ControlCore", with: ["EdgeCore"]),
    tests(of: "EdgeIO", with: ["EdgeCore"]),
    tests(of: "EdgeTLS", with: ["EdgeCore", "EdgeAuth", "COpenSSL", "COpenSSLMemory"]),
    tests(of: "EdgeHTTP2", with: ["EdgeCore", "EdgeHTTP", "EdgePolicy", "CNghttp2"]),
    tests(
      of: "EdgeServer",
      with: [
        "EdgeAuth", "EdgeConfig", "EdgeCore", "EdgeHTTP", "EdgeIO", "EdgePolicy", "EdgeRouting", "EdgeTLS", "EdgeTelemetry",
      ]),
    tests(of: "EdgeFetch"),
    tests(of: "EdgeAdmin", with: ["EdgeCore", "EdgePolicy", "EdgeRouting", "EdgeTelemetry"]),
    tests(of: "sluice-bench", with: ["EdgeCore", "EdgeWebSocket"]),

    // What hostile bytes reach, as functions of bytes: `make fuzz` makes up inputs, the test replays those that are kept.
    .target(name: "FuzzTargets", dependencies: fuzzed, path: "Tests/Fuzz/Targets", swiftSettings: testSettings),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets", "EdgeIO"], path: "Tests/Fuzz/ReplayTests", swiftSettings: testSettings),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c2x
)

// libFuzzer is there only with `-sanitize=fuzzer`, which `scripts/fuzz` builds with.
if Context.environment["FUZZ"] != nil {
  package.targets += [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets", "CLibFuzzer"], path: "Tests/Fuzz/Driver", swiftSettings: testSettings),
  ]
}
