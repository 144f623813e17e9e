// What generated programs are written in: numbers, and vectors of one number a lane.
#include <climits>
#include <cmath>
#include <limits>

using std::acos; using std::acosh; using std::asin; using std::asinh; using std::atan;
using std::atan2; using std::atanh; using std::cbrt; using std::ceil; using std::cos;
using std::cosh; using std::erf; using std::erfc; using std::exp; using std::exp2;
using std::expm1; using std::floor; using std::log; using std::log1p; using std::pow;
using std::rint; using std::round; using std::sin; using std::sinh; using std::sqrt;
using std::tan; using std::tanh;

#ifdef __CUDACC__
#define PROGRAM static __device__ __noinline__
#define MEMBER __device__ __forceinline__
#define INLINE static __device__ __forceinline__
#define CONSTANT static __device__ const
#define ROLLED _Pragma("unroll 1")
#else
#define PROGRAM static
#define MEMBER inline
#define INLINE static inline __attribute__((always_inline))
#define CONSTANT static const
#define ROLLED
#endif

// Workspace. On a GPU it belongs to many threads, whose elements alternate, so that
// neighbouring threads reach for neighbouring memory.
struct Memory {
  char* at;
  long threads, thread;
};
#if defined(__CUDACC__) || defined(STRIDED)
template <class T> struct Strided {
  T* first;
  long step;
  MEMBER T& operator[](long i) const { return first[i * step]; }
};
template <class T> INLINE Strided<T> place(Memory m, long bytes) {
  return {(T*)(m.at + bytes * m.threads) + m.thread, m.threads};
}
#else
template <class T> INLINE T* place(Memory m, long bytes) { return (T*)(m.at + bytes); }
#endif

// Numbers. The larger and smaller of two are as in XLA: NaN wins, and -0 is below 0.
INLINE bool is_negative(real a) { return std::signbit(a); }
INLINE real larger(real a, real b) {
  return (a > b) | (a != a) | ((a == b) & is_negative(b)) ? a : b;
}
INLINE real smaller(real a, real b) {
  return (a < b) | (a != a) | ((a == b) & is_negative(a)) ? a : b;
}
INLINE long larger(long a, long b) { return a >= b ? a : b; }
INLINE long smaller(long a, long b) { return a <= b ? a : b; }
INLINE bool larger(bool a, bool b) { return a | b; }
INLINE bool smaller(bool a, bool b) { return a & b; }
INLINE real magnitude(real a) { return std::fabs(a); }
INLINE long magnitude(long a) { return a < 0 ? -a : a; }
INLINE bool is_finite(real a) { return std::fabs(a) <= std::numeric_limits<real>::max(); }
INLINE real logistic(real a) { return 1 / (1 + exp(-a)); }
INLINE real sign(real a) { return a > 0 ? 1 : a < 0 ? -1 : a; }
INLINE long sign(long a) { return a > 0 ? 1 : a < 0 ? -1 : 0; }
INLINE real quotient_of(real a, real b) { return a / b; }
INLINE real remainder_of(real a, real b) { return std::fmod(a, b); }
// Integers as in XLA: over zero the quotient is -1 and the remainder what was divided; the
// one quotient that is too large wraps. Compilers divide ahead of a test: by what is safe.
INLINE long divisor_of(long b) { return (b == 0) | (b == -1) ? 1 : b; }
INLINE long quotient_of(long a, long b) {
  const long q = a / divisor_of(b);
  return b == 0 ? -1 : b == -1 ? long(0ul - (unsigned long)a) : q;
}
INLINE long remainder_of(long a, long b) {
  const long r = a % divisor_of(b);
  return b == 0 ? a : r;
}
INLINE real as_real(long a) { return real(a); }
INLINE real as_real(bool a) { return real(a); }
// NaN is zero, and what is too large the largest.
template <long most> INLINE long as_int(real a) {
  return a != a ? 0 : a >= real(most) ? most : a <= -real(most) ? -most - 1 : long(a);
}
INLINE long as_int(bool a) { return long(a); }
// What does not fit wraps, and what is between two floats is rounded.
INLINE long as_int32(long a) { return int(a); }
INLINE real as_float(real a) { return float(a); }
INLINE bool as_bool(real a) { return a != 0; }
INLINE bool as_bool(long a) { return a != 0; }
INLINE long clamped(long a, long most) { return a < 0 ? 0 : a > most ? most : a; }
INLINE bool any_of(bool a) { return a; }
template <class T> INLINE T choose(bool c, T a, T b) { return c ? a : b; }
template <class T> INLINE T highest() {
  typedef std::numeric_limits<T> limits;
  return limits::has_infinity ? limits::infinity() : limits::max();
}
template <class T> INLINE T lowest() {
  typedef std::numeric_limits<T> limits;
  return limits::has_infinity ? -limits::infinity() : limits::lowest();
}

template <class T> INLINE T power(T a, int n) {
  T r = T(1);
  for (; n; n >>= 1, a = a * a)
    if (n & 1) r = r * a;
  return r;
}
template <class T, class U> INLINE void assign(T& old, U now, bool) { old = T(now); }

// Operands in memory: one element for a block of `lanes` lanes, `step` bytes apart.
template <class T, class S> struct Load {
  INLINE T from(const S* at, long, long) { return T(*at); }
};
template <class T, class S> INLINE T load(const S* at, long step, long lanes) {
  return Load<T, S>::from(at, step, lanes);
}
template <class S> INLINE S* lane(S* at, long step, long l) {
  return (S*)((char*)at + l * step);
}
template <class S, class T> INLINE void save(S* at, long step, long lanes, T value) {
  for (long l = 0; l < lanes; ++l) *lane(at, step, l) = S(value);
}

#if WIDTH > 1
#define LANES for (int l = 0; l < WIDTH; ++l)

// Vectors. Booleans are integers, 0 or -1, as comparisons of integers give them.
typedef real RV __attribute__((vector_size(WIDTH * sizeof(real))));
typedef long IV __attribute__((vector_size(WIDTH * sizeof(long))));
typedef decltype(RV{} < RV{}) MV;  // what comparisons of reals give

struct B {
  IV v;
  B() = default;
  INLINE B of(IV v) { B b; b.v = v; return b; }
  B(bool a) : v(IV{} - long(a)) {}
};
struct I {
  IV v;
  I() = default;
  INLINE I of(IV v) { I i; i.v = v; return i; }
  I(long a) : v(IV{} + a) {}
  I(int a) : I(long(a)) {}
};
struct R {
  RV v;
  R() = default;
  INLINE R of(RV v) { R r; r.v = v; return r; }
  R(real a) : v(RV{} + a) {}
  R(int a) : R(real(a)) {}
};

INLINE B truth(IV m) { return B::of(m); }
template <class M> INLINE B truth(M m) { return B::of(__builtin_convertvector(m, IV)); }

#define OPERATOR(T, op) INLINE T operator op(T a, T b) { return T::of(a.v op b.v); }
#define COMPARE(T, op) INLINE B operator op(T a, T b) { return truth(a.v op b.v); }
OPERATOR(R, +) OPERATOR(R, -) OPERATOR(R, *) OPERATOR(R, /)
OPERATOR(I, +) OPERATOR(I, -) OPERATOR(I, *)
OPERATOR(I, &) OPERATOR(I, |) OPERATOR(I, ^)
OPERATOR(B, &) OPERATOR(B, |) OPERATOR(B, ^)
COMPARE(R, <) COMPARE(R, <=) COMPARE(R, >) COMPARE(R, >=) COMPARE(R, ==) COMPARE(R, !=)
COMPARE(I, <) COMPARE(I, <=) COMPARE(I, >) COMPARE(I, >=) COMPARE(I, ==) COMPARE(I, !=)
COMPARE(B, ==) COMPARE(B, !=)
INLINE B operator<(B a, B b) { return B::of(~a.v & b.v); }
INLINE B operator>(B a, B b) { return b < a; }
INLINE B operator<=(B a, B b) { return B::of(~a.v | b.v); }
INLINE B operator>=(B a, B b) { return b <= a; }
INLINE R operator-(R a) { return R::of(-a.v); }
INLINE I operator-(I a) { return I::of(-a.v); }
INLINE I operator~(I a) { return I::of(~a.v); }
INLINE B operator!(B a) { return B::of(~a.v); }

INLINE bool any_of(B a) { long m = 0; LANES m |= a.v[l]; return m; }
INLINE R either(B c, R a, R b) {
  return R::of(__builtin_convertvector(c.v, MV) ? a.v : b.v);
}
INLINE I either(B c, I a, I b) { return I::of(c.v ? a.v : b.v); }
INLINE B either(B c, B a, B b) { return B::of(c.v ? a.v : b.v); }
template <class T> INLINE T choose(B c, T a, T b) { return either(c, a, b); }
template <class T, class U> INLINE void assign(T& old, U now, B lanes) {
  old = choose<T>(lanes, T(now), old);
}

INLINE B is_negative(R a) { return truth((MV)a.v < 0); }
INLINE R larger(R a, R b) {
  return choose<R>((a > b) | (a != a) | ((a == b) & is_negative(b)), a, b);
}
INLINE R smaller(R a, R b) {
  return choose<R>((a < b) | (a != a) | ((a == b) & is_negative(a)), a, b);
}
INLINE I larger(I a, I b) { return choose<I>(a >= b, a, b); }
INLINE I smaller(I a, I b) { return choose<I>(a <= b, a, b); }
INLINE B larger(B a, B b) { return a | b; }
INLINE B smaller(B a, B b) { return a & b; }
INLINE R magnitude(R a) {
  return R::of((RV)((MV)a.v & std::numeric_limits<decltype(MV{}[0] + 0)>::max()));
}
INLINE I magnitude(I a) { return choose<I>(a < I(0), -a, a); }
INLINE I clamped(I a, long most) { return smaller(larger(a, I(0)), I(most)); }
INLINE I sign(I a) { return choose<I>(a > I(0), I(1), choose<I>(a < I(0), I(-1), I(0))); }
INLINE R quotient_of(R a, R b) { return a / b; }
INLINE I quotient_of(I a, I b) {
  LANES a.v[l] = quotient_of(a.v[l], b.v[l]);
  return a;
}
INLINE I remainder_of(I a, I b) {
  LANES a.v[l] = remainder_of(a.v[l], b.v[l]);
  return a;
}
INLINE R as_real(I a) { return R::of(__builtin_convertvector(a.v, RV)); }
INLINE R as_real(B a) { return choose<R>(a, R(1), R(0)); }
template <long most> INLINE I as_int(R a) {
  I i;
  LANES i.v[l] = as_int<most>(a.v[l]);
  return i;
}
INLINE I as_int(B a) { return I::of(-a.v); }
INLINE I as_int32(I a) { return I::of(a.v << 32 >> 32); }
INLINE R as_float(R a) {
  typedef float FV __attribute__((vector_size(WIDTH * sizeof(float))));
  return R::of(__builtin_convertvector(__builtin_convertvector(a.v, FV), RV));
}
INLINE B as_bool(R a) { return a != R(0); }
INLINE B as_bool(I a) { return a != I(0); }
INLINE B is_finite(R a) { return magnitude(a) <= R(std::numeric_limits<real>::max()); }

// Functions from the vector mathematics of glibc where it has them.
#define BY_LANE(f) INLINE R f(R a) { LANES a.v[l] = f(a.v[l]); return a; }
#if defined(__x86_64__) && defined(__GLIBC__) && REAL_BITS == 64
#if __GLIBC_PREREQ(2, 35)
#define GLIBC_VECTORS
#endif
#endif
#if defined(GLIBC_VECTORS) && defined(__AVX512F__) && WIDTH == 8
#define VECTOR(f) \
  extern "C" RV _ZGVeN8v_##f(RV); \
  INLINE R f(R a) { return R::of(_ZGVeN8v_##f(a.v)); }
#define VECTOR2(f) \
  extern "C" RV _ZGVeN8vv_##f(RV, RV); \
  INLINE R f(R a, R b) { return R::of(_ZGVeN8vv_##f(a.v, b.v)); }
#elif defined(GLIBC_VECTORS) && defined(__AVX2__) && WIDTH == 4
#define VECTOR(f) \
  extern "C" RV _ZGVdN4v_##f(RV); \
  INLINE R f(R a) { return R::of(_ZGVdN4v_##f(a.v)); }
#define VECTOR2(f) \
  extern "C" RV _ZGVdN4vv_##f(RV, RV); \
  INLINE R f(R a, R b) { return R::of(_ZGVdN4vv_##f(a.v, b.v)); }
#else
#define VECTOR(f) BY_LANE(f)
#define VECTOR2(f) INLINE R f(R a, R b) { LANES a.v[l] = f(a.v[l], b.v[l]); return a; }
#endif
VECTOR(exp) VECTOR(log) VECTOR(log1p) VECTOR(expm1) VECTOR(asinh) VECTOR(tanh)
VECTOR(sin) VECTOR(cos) VECTOR(sinh) VECTOR(cosh) VECTOR(exp2) VECTOR(erf) VECTOR2(pow)
VECTOR(tan) VECTOR(asin) VECTOR(acos) VECTOR(atan) VECTOR(acosh) VECTOR(atanh)
VECTOR(cbrt) VECTOR(erfc) VECTOR2(atan2)
BY_LANE(sqrt) BY_LANE(floor) BY_LANE(ceil) BY_LANE(rint) BY_LANE(round) BY_LANE(sign)
INLINE R logistic(R a) { return R(1) / (R(1) + exp(-a)); }
INLINE R remainder_of(R a, R b) {
  LANES a.v[l] = std::fmod(a.v[l], b.v[l]);
  return a;
}

// Elements at an index that varies by lane. Built up in registers: going through memory
// lane by lane would wait for every store.
#if WIDTH == 8
#define EACH(f) {f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)}
#elif WIDTH == 4
#define EACH(f) {f(0), f(1), f(2), f(3)}
#endif
#define OF_VECTORS(l) p[i.v[l]].v[l]
#define OF_NUMBERS(l) p[i.v[l]]
template <int n> INLINE R pick(const R* p, I i) { return R::of(RV EACH(OF_VECTORS)); }
template <int n> INLINE I pick(const I* p, I i) { return I::of(IV EACH(OF_VECTORS)); }
template <int n> INLINE B pick(const B* p, I i) { return B::of(IV EACH(OF_VECTORS)); }
template <int n> INLINE I pick(const long* p, I i) { return I::of(IV EACH(OF_NUMBERS)); }
template <int n> INLINE B pick(const bool* p, I i) { return B::of(-(IV EACH(OF_NUMBERS))); }

// From a run of n numbers, a short one by shuffling registers.
template <int count> INLINE RV part(const real* p) {
  RV r{};
  __builtin_memcpy(&r, p, (count < WIDTH ? count : WIDTH) * sizeof(real));
  return r;
}
template <int n> INLINE RV shuffled(const real* p, MV place) {
  if constexpr (n <= WIDTH) return __builtin_shuffle(part<n>(p), place);
  else if constexpr (n <= 2 * WIDTH)
    return __builtin_shuffle(part<n>(p), part<n - WIDTH>(p + WIDTH), place);
  else {
    const int head = (n - 1) / (2 * WIDTH) * (2 * WIDTH);
    return place >= head ? shuffled<n - head>(p + head, place) : shuffled<head>(p, place);
  }
}
template <int n> INLINE R pick(const real* p, I i) {
  if constexpr (n == 1) return R(*p);
  else if constexpr (n == 0 || n > 8 * WIDTH) return R::of(RV EACH(OF_NUMBERS));
  else return R::of(shuffled<n>(p, __builtin_convertvector(i.v, MV)));
}
template <class T> INLINE void put(T* p, I i, B lanes, T value) {
  LANES if (lanes.v[l]) p[i.v[l]].v[l] = value.v[l];
}
INLINE void put(R* p, I i, B lanes, real value) { put(p, i, lanes, R(value)); }
INLINE void put(I* p, I i, B lanes, long value) { put(p, i, lanes, I(value)); }
INLINE void put(B* p, I i, B lanes, bool value) { put(p, i, lanes, B(value)); }

#define LOADED(T, E) \
  template <class S> struct Load<T, S> { \
    INLINE T from(const S* at, long step, long lanes) { \
      T r; \
      LANES r.v[l] = E(*lane(at, step, l < lanes ? l : lanes - 1)); \
      return r; \
    } \
  };
LOADED(R, real) LOADED(I, long) LOADED(B, -long)
template <class S> INLINE void save(S* at, long step, long lanes, R value) {
  for (long l = 0; l < lanes; ++l) *lane(at, step, l) = S(value.v[l]);
}
template <class S> INLINE void save(S* at, long step, long lanes, I value) {
  for (long l = 0; l < lanes; ++l) *lane(at, step, l) = S(value.v[l]);
}
template <class S> INLINE void save(S* at, long step, long lanes, B value) {
  for (long l = 0; l < lanes; ++l) *lane(at, step, l) = S(value.v[l] != 0);
}
#else
typedef real R;
typedef long I;
typedef bool B;
#endif
