#pragma once

#include "engine.hpp"

namespace vision {

/// Whether a batch gives what its pictures give one by one: some networks answer a batch with wrong numbers, without an
/// error, and some throw. After a throw the engine must not be used again.
bool batch_equals_singles(Engine &engine, InputShape shape, int batch);

}  // namespace vision
