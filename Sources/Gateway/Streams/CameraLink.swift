import Messages
import Outbound
import Playback
import Video

/// A source that is called by its URL, again and again as long as it comes back.
struct CameraLink {
    let url: OutboundURL
    let helper: String

    func run(into stream: LiveStream) async {
        var redial = Redial(stream.rules.limits.sources)
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            var isForbidden = false
            do {
                try await once(into: stream, &redial)
                stream.trouble("the source has ended")
            } catch let error as OutboundError {
                isForbidden = error.isForbidden
                stream.trouble(error.message)
            } catch {
                if Task.isCancelled { return }
                stream.trouble((error as? VideoError)?.message ?? "the source cannot be read")
            }
            guard !isForbidden, let wait = redial.wait(using: &random) else {
                return stream.fail(stream.life.cause ?? "the source cannot be read")
            }
            try? await Task.sleep(for: wait)
        }
    }

    private func once(into stream: LiveStream, _ redial: inout Redial) async throws {
        let rules = stream.rules
        let reader = try await SourceCall(
            of: url, allowedBy: rules.streams, name: url.shown, helper: helper, authorities: rules.streamAuthorities
        ).open()
        do {
            stream.begin(age: reader.info.age)
            var pace = FramePace(maxFrameRate: stream.specification.maxFrameRate)
            while let frame = try await reader.next() {
                redial.hadFrame()
                guard pace.wants(frame.captureTime) else { continue }
                _ = await stream.offer(
                    Frame(frame, reader.info), sourceTime: frame.captureTime, pixelAspect: reader.info.aspect.ratio)
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }
}
