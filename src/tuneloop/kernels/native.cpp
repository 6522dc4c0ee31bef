// The few kernels in which torch's CPU operations leave most of the time on the table: norms, SwiGLU, rotary positions,
// causal softmax and cross-entropy, each one pass over its rows, forward and backward, in bfloat16 with float32 inside.
// Plain C++ that the compiler vectorises; no torch header, so that it builds in seconds. `native.py` builds and calls it,
// `reference.py` is the same in torch, and tests/contracts/test_kernels.py holds both to the same formulas.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

typedef uint16_t bf16;  // the upper half of a float32

static inline float wide(bf16 value) { return std::bit_cast<float>(uint32_t(value) << 16); }

// Round to nearest, ties to even. Infinities and the NaNs that arithmetic makes survive.
static inline bf16 narrow(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return bf16((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline float larger(float a, float b) { return a > b ? a : b; }

// e^x within 2 units in the last place, in a form that vectorises: 2^n · p(r) with x = (n + r) · ln 2 and |r| <= 1/2,
// p of degree 6 from the Taylor series of 2^r. Beyond ±87 it stays at e^±87: no softmax and no sigmoid can tell.
// NaN stays NaN.
static inline float exponential(float x) {
  const float y = (x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x) * 1.44269504f;
  const float n = std::floor(y + 0.5f), r = y - n;
  float p = 1.54035304e-4f;
  p = p * r + 1.33335581e-3f;
  p = p * r + 9.61812911e-3f;
  p = p * r + 5.55041087e-2f;
  p = p * r + 2.40226507e-1f;
  p = p * r + 6.93147181e-1f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>(uint32_t(int32_t(n) + 127) << 23);
}

extern "C" {

// y = w · x / sqrt(mean(x²) + eps); scale[row] = 1 / sqrt(…) is kept for the backward pass.
void rms_norm(const bf16* x, const bf16* weight, float eps, bf16* y, float* scale, int64_t rows, int64_t size) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const bf16* in = x + row * size;
    bf16* out = y + row * size;
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < size; ++i) squares += wide(in[i]) * wide(in[i]);
    const float s = 1.0f / std::sqrt(squares / float(size) + eps);
    scale[row] = s;
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) out[i] = narrow(wide(weight[i]) * wide(narrow(wide(in[i]) * s)));
  }
}

// dx = s (g − x̂ · mean(g ⊙ x̂)) with x̂ = s x and g = dy ⊙ w
void rms_norm_backward(const bf16* grad, const bf16* x, const bf16* weight, const float* scale, bf16* dx, int64_t rows,
                       int64_t size) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const bf16 *dy = grad + row * size, *in = x + row * size;
    bf16* out = dx + row * size;
    const float s = scale[row];
    float inner = 0;
#pragma omp simd reduction(+ : inner)
    for (int64_t i = 0; i < size; ++i) inner += wide(dy[i]) * wide(weight[i]) * wide(in[i]);
    const float mean = inner * s * s / float(size);
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) out[i] = narrow(s * (wide(dy[i]) * wide(weight[i]) - wide(in[i]) * mean));
  }
}

// gate_up [rows, 2 · size], gate left of up → y = silu(gate) · up [rows, size]
void swiglu(const bf16* gate_up, bf16* y, int64_t rows, int64_t size) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const bf16 *gate = gate_up + row * 2 * size, *up = gate + size;
    bf16* out = y + row * size;
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) {
      const float g = wide(gate[i]);
      out[i] = narrow(g / (1.0f + exponential(-g)) * wide(up[i]));
    }
  }
}

// d gate = dy · up · σ(g) (1 + g (1 − σ(g))), d up = dy · silu(g)
void swiglu_backward(const bf16* grad, const bf16* gate_up, bf16* dgate_up, int64_t rows, int64_t size) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const bf16 *dy = grad + row * size, *gate = gate_up + row * 2 * size, *up = gate + size;
    bf16 *dgate = dgate_up + row * 2 * size, *dup = dgate + size;
#pragma omp simd
    for (int64_t i = 0; i < size; ++i) {
      const float g = wide(gate[i]), d = wide(dy[i]);
      const float sigmoid = 1.0f / (1.0f + exponential(-g));
      dgate[i] = narrow(d * wide(up[i]) * sigmoid * (1.0f + g * (1.0f - sigmoid)));
      dup[i] = narrow(d * g * sigmoid);
    }
  }
}

// Turn each pair (x_i, x_{i + size/2}) of every head by its position's angle; direction −1 turns back.
// Tokens lie x_stride and out_stride values apart: a token's heads may be part of a longer row.
void rotate(const bf16* x, const bf16* cos, const bf16* sin, float direction, bf16* turned, int64_t tokens, int64_t heads,
            int64_t size, int64_t x_stride, int64_t out_stride) {
  const int64_t half = size / 2;
#pragma omp parallel for schedule(static)
  for (int64_t token = 0; token < tokens; ++token) {
    const bf16 *c = cos + token * half, *s = sin + token * half;
    for (int64_t head = 0; head < heads; ++head) {
      const bf16* in = x + token * x_stride + head * size;
      bf16* out = turned + token * out_stride + head * size;
#pragma omp simd
      for (int64_t i = 0; i < half; ++i) {
        const float a = wide(in[i]), b = wide(in[i + half]), turn = direction * wide(s[i]);
        out[i] = narrow(a * wide(c[i]) - b * turn);
        out[i + half] = narrow(b * wide(c[i]) + a * turn);
      }
    }
  }
}

// scores [rows, length] → softmax(scale · scores) where row r is query r mod length: it sees keys first … r mod length.
void causal_softmax(bf16* scores, float scale, int64_t window, int64_t rows, int64_t length) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    bf16* z = scores + row * length;
    const int64_t end = row % length + 1, first = window && end > window ? end - window : 0;
    float top = -INFINITY, total = 0;
#pragma omp simd reduction(max : top)
    for (int64_t i = first; i < end; ++i) top = larger(top, wide(z[i]));
#pragma omp simd reduction(+ : total)
    for (int64_t i = first; i < end; ++i) total += exponential(scale * (wide(z[i]) - top));
    const float shift = scale * top + std::log(total);
#pragma omp simd
    for (int64_t i = first; i < end; ++i) z[i] = narrow(exponential(scale * wide(z[i]) - shift));
    std::memset(z, 0, size_t(first) * sizeof(bf16));
    std::memset(z + end, 0, size_t(length - end) * sizeof(bf16));
  }
}

// grad [rows, length] of the weights → gradient of the scores, in place: scale · P ⊙ (dP − Σ dP ⊙ P)
void causal_softmax_backward(bf16* grad, const bf16* weights, float scale, int64_t window, int64_t rows, int64_t length) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    bf16* g = grad + row * length;
    const bf16* p = weights + row * length;
    const int64_t end = row % length + 1, first = window && end > window ? end - window : 0;
    float inner = 0;
#pragma omp simd reduction(+ : inner)
    for (int64_t i = first; i < end; ++i) inner += wide(g[i]) * wide(p[i]);
#pragma omp simd
    for (int64_t i = first; i < end; ++i) g[i] = narrow(scale * wide(p[i]) * (wide(g[i]) - inner));
    std::memset(g, 0, size_t(first) * sizeof(bf16));
    std::memset(g + end, 0, size_t(length - end) * sizeof(bf16));
  }
}

// loss[row] = log Σ exp(z) − z[target]; with `backward`, logits become their gradient, softmax − one-hot.
void cross_entropy(bf16* logits, const int64_t* targets, float* loss, int32_t backward, int64_t rows, int64_t vocabulary) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    bf16* z = logits + row * vocabulary;
    const int64_t target = targets[row];
    float top = -INFINITY, total = 0;
#pragma omp simd reduction(max : top)
    for (int64_t i = 0; i < vocabulary; ++i) top = larger(top, wide(z[i]));
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < vocabulary; ++i) total += exponential(wide(z[i]) - top);
    const float shift = top + std::log(total), at_target = wide(z[target]);
    loss[row] = shift - at_target;
    if (!backward) continue;
#pragma omp simd
    for (int64_t i = 0; i < vocabulary; ++i) z[i] = narrow(exponential(wide(z[i]) - shift));
    z[target] = narrow(exponential(at_target - shift) - 1.0f);
  }
}

// Attention of one token a row over the row's own cells of a cache: B rows, H query heads, K key-value heads, D head size.
// sees [B, 2]: first and one past the last cell of each row. Rows of keys and values lie slot_stride values apart.
void attend_rows(const bf16* query, const bf16* keys, const bf16* values, const int64_t* sees, float scale, bf16* out,
                 int64_t rows, int64_t heads, int64_t kv_heads, int64_t size, int64_t query_stride, int64_t slot_stride) {
  const int64_t group = heads / kv_heads, cell_stride = kv_heads * size;
#pragma omp parallel
  {
    std::vector<float> scores;
    std::vector<float> q(size), mixed(size);
#pragma omp for collapse(2) schedule(dynamic)
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t kv = 0; kv < kv_heads; ++kv) {
        const int64_t first = sees[2 * row], last = sees[2 * row + 1];
        const bf16 *k = keys + row * slot_stride + kv * size, *v = values + row * slot_stride + kv * size;
        scores.resize(size_t(last - first));
        for (int64_t g = 0; g < group; ++g) {
          const bf16* in = query + row * query_stride + (kv * group + g) * size;
          for (int64_t i = 0; i < size; ++i) q[i] = wide(in[i]) * scale;
          float top = -INFINITY, total = 0;
          for (int64_t cell = first; cell < last; ++cell) {
            const bf16* key = k + cell * cell_stride;
            float dot = 0;
#pragma omp simd reduction(+ : dot)
            for (int64_t i = 0; i < size; ++i) dot += q[i] * wide(key[i]);
            scores[cell - first] = dot;
            top = larger(dot, top);
          }
#pragma omp simd reduction(+ : total)
          for (int64_t i = 0; i < last - first; ++i) {
            scores[i] = exponential(scores[i] - top);
            total += scores[i];
          }
          for (int64_t i = 0; i < size; ++i) mixed[i] = 0;
          for (int64_t cell = first; cell < last; ++cell) {
            const bf16* value = v + cell * cell_stride;
            const float p = scores[cell - first];
#pragma omp simd
            for (int64_t i = 0; i < size; ++i) mixed[i] += p * wide(value[i]);
          }
          bf16* to = out + (row * heads + kv * group + g) * size;
          for (int64_t i = 0; i < size; ++i) to[i] = narrow(mixed[i] / total);
        }
      }
    }
  }
}

}  // extern "C"
