import Bench
import Foundation
import Mesh
import RPC

/// What a run of `bench` shall measure, and where.
struct BenchPlan: Sendable {
    static let maxConcurrency = 512
    /// Callers that a search goes up to, unless it is said how far: coordinators and nodes take 256 connections of one address, some
    /// of which others may have.
    static let mostSearched = 240
    static let maxPerStream = 1024
    static let maxSeconds = 86_400.0
    static let leastSeconds = 0.001
    static let maxTrials = 1000
    /// Frames a second of one camera.
    static let fps = 0.001...1000.0
    /// Times the capacity.
    static let factors = 0.001...100.0
    static let maxFactors = 32
    /// Callers that find out the capacity, unless it is said how many.
    static let capacityConcurrency = 16
    /// Connections of an open loop, unless it is said how many.
    static let connections = 8
    /// Of what is left to chance, unless another is asked for.
    static let seed: UInt64 = 1

    enum Place: Sendable, Equatable {
        case coordinator
        case node(ServerAddress)
        case gateway(URL)
        case inProcess
        /// A mesh that is started for this.
        case up
    }

    enum Load: Sendable, Equatable {
        case concurrency(Sweep<Int>)
        /// The most at once within the limit.
        case search(Sweep<Int>)
        case rates(Sweep<Double>, Arrivals, connections: Int)
        case streams(Sweep<Int>, perStream: Int)
        case cameras(Sweep<Int>, fps: Double)
        /// Times the capacity, which as many callers find out; of cameras, so many share the rate.
        case overload([Double], Arrivals, connections: Int, concurrency: Int, cameras: Int?)

        var isOnePoint: Bool {
            switch self {
            case .concurrency(let sweep), .streams(let sweep, _), .cameras(let sweep, _): sweep.isOnePoint
            case .rates(let sweep, _, _): sweep.isOnePoint
            // The capacity is a point, too.
            case .search, .overload: false
            }
        }
    }

    var place = Place.coordinator
    /// A node of the mesh that is started for this is measured by itself, too.
    var isOverhead = false
    var load: Load
    var timing = BenchTiming()
    /// Milliseconds.
    var latencyLimit: Double?
    var seed = Self.seed
    var disturbances: [Disturbance] = []

    /// Streams go to coordinators only.
    var needsStreams: Bool {
        switch load {
        case .streams, .cameras, .overload(_, _, _, _, .some): true
        default: false
        }
    }
}
