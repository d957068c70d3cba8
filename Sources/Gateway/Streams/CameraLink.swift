import Messages
import RPC
import Video

/// A source that is called by its URL, again and again as long as it comes back.
struct CameraLink {
    let url: OutboundURL
    let helper: String

    func run(into stream: LiveStream) async {
        var failures = 0
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            var isForbidden = false
            var hadFrames = false
            do {
                try await once(into: stream, &hadFrames)
                stream.trouble("the source has ended")
            } catch let error as OutboundError {
                isForbidden = error.isForbidden
                stream.trouble(error.message)
            } catch {
                if Task.isCancelled { return }
                stream.trouble((error as? VideoError)?.message ?? "the source cannot be read")
            }
            // It did work: the next call is a first one.
            failures = hadFrames ? 1 : failures + 1
            guard !isForbidden, failures < stream.rules.limits.attempts else {
                return stream.fail(stream.life.cause ?? "the source cannot be read")
            }
            try? await Task.sleep(for: stream.rules.limits.reconnect.wait(after: failures, using: &random))
        }
    }

    private func once(into stream: LiveStream, _ hadFrames: inout Bool) async throws {
        let reader = try await open(stream.rules)
        do {
            stream.begin()
            var pace = FramePace(maxFrameRate: stream.specification.maxFrameRate)
            while let frame = try await reader.next() {
                hadFrames = true
                guard pace.wants(frame.captureTime) else { continue }
                _ = await stream.offer(Frame(frame, reader.info), sourceTime: frame.captureTime)
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    /// By the first address that shows something.
    private func open(_ rules: StreamRules) async throws -> VideoReader {
        var failure: (any Error)?
        // Asked each time: a name may mean something else by now.
        for address in try await rules.streams.addresses(of: url) {
            do {
                return try await VideoReader.watch(
                    url.text, at: address.with(port: url.port), name: url.shown, helper: helper,
                    authorities: rules.streamAuthorities)
            } catch let error as VideoError {
                failure = error
            }
            try Task.checkCancellation()
        }
        throw failure ?? OutboundError("\(url.host) has no address", .unresolved)
    }
}
