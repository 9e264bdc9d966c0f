//! Compresses and decompresses with reused contexts.

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd::zstd_safe::{
    self, CCtx, CParameter, DCtx, ErrorCode, InBuffer, OutBuffer, ResetDirective, get_error_name,
};

use crate::buffer::buffer;
use crate::frame::Frame;
use crate::{CodecError, Dictionary, Level};

/// Two zstd contexts, reused for the next value, each with the dictionary used last.
///
/// Creating a context takes longer than compressing a small value. Reading a dictionary takes longer than both.
#[derive(Default)]
pub struct Codec {
    compressor: Option<Compressor>,
    decompressor: Option<Decompressor>,
}

impl Codec {
    /// Creates a codec without contexts. The first call that needs a context creates it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compresses `content` into one frame with a content size and a checksum.
    ///
    /// # Errors
    ///
    /// [`CodecError::Memory`].
    pub fn compress(
        &mut self,
        content: &[u8],
        level: Level,
        dictionary: Option<&Dictionary>,
    ) -> Result<Vec<u8>, CodecError> {
        let kept = match self.compressor.take() {
            Some(kept) if kept.serves(level, dictionary) => kept,
            _ => Compressor::new(level, dictionary)?,
        };
        // A context is dropped after a failure, because its state is unknown.
        let mut kept = kept;
        let mut frame = buffer(zstd_safe::compress_bound(content.len()))?;
        kept.context.compress2(&mut frame, content).map_err(|code| failure(code, content.len()))?;
        self.compressor = Some(kept);
        frame.shrink_to_fit();
        Ok(frame)
    }

    /// Decompresses one frame to at most `max_size` bytes.
    ///
    /// # Errors
    ///
    /// [`CodecError::NotAFrame`], [`CodecError::Truncated`], [`CodecError::Corrupt`] or [`CodecError::TrailingData`] for
    /// bytes that are not one whole frame; [`CodecError::TooBig`] before the content exceeds `max_size` bytes, regardless
    /// of the size that the frame states; [`CodecError::DictionaryMissing`]; [`CodecError::DictionaryWrong`].
    pub fn decompress(
        &mut self,
        frame: &[u8],
        dictionary: Option<&Dictionary>,
        max_size: usize,
    ) -> Result<Vec<u8>, CodecError> {
        let frame = Frame::parse(frame)?;
        frame.accepts(dictionary)?;
        let mut kept = match self.decompressor.take() {
            Some(kept) if kept.serves(dictionary) => kept,
            _ => Decompressor::new(dictionary)?,
        };
        let content = match frame.declared {
            Some(declared) => match usize::try_from(declared) {
                Ok(size) if size <= max_size => kept.known_size(&frame, size),
                _ => Err(CodecError::TooBig { limit: max_size }),
            },
            None => kept.unknown_size(&frame, max_size),
        }?;
        self.decompressor = Some(kept);
        Ok(content)
    }
}

struct Compressor {
    context: CCtx<'static>,
    level: Level,
    dictionary: Option<Dictionary>,
}

impl Compressor {
    fn new(level: Level, dictionary: Option<&Dictionary>) -> Result<Self, CodecError> {
        let mut context = CCtx::try_create().ok_or(CodecError::Memory { length: 0 })?;
        for parameter in [CParameter::CompressionLevel(level.number()), CParameter::ChecksumFlag(true)] {
            context.set_parameter(parameter).map_err(|code| failure(code, 0))?;
        }
        if let Some(dictionary) = dictionary {
            context.load_dictionary(dictionary.as_bytes()).map_err(|code| failure(code, 0))?;
        }
        Ok(Self { context, level, dictionary: dictionary.cloned() })
    }

    fn serves(&self, level: Level, dictionary: Option<&Dictionary>) -> bool {
        self.level == level && same(self.dictionary.as_ref(), dictionary)
    }
}

struct Decompressor {
    context: DCtx<'static>,
    dictionary: Option<Dictionary>,
}

impl Decompressor {
    fn new(dictionary: Option<&Dictionary>) -> Result<Self, CodecError> {
        let mut context = DCtx::try_create().ok_or(CodecError::Memory { length: 0 })?;
        if let Some(dictionary) = dictionary {
            context.load_dictionary(dictionary.as_bytes()).map_err(|code| failure(code, 0))?;
        }
        Ok(Self { context, dictionary: dictionary.cloned() })
    }

    fn serves(&self, dictionary: Option<&Dictionary>) -> bool {
        same(self.dictionary.as_ref(), dictionary)
    }

    fn known_size(&mut self, frame: &Frame<'_>, size: usize) -> Result<Vec<u8>, CodecError> {
        let mut content = buffer(size)?;
        let written =
            self.context.decompress(&mut content, frame.bytes).map_err(|code| failure(code, size))?;
        if written != size {
            return Err(CodecError::Corrupt { reason: "the content is shorter than the header states" });
        }
        Ok(content)
    }

    fn unknown_size(&mut self, frame: &Frame<'_>, max_size: usize) -> Result<Vec<u8>, CodecError> {
        self.context.reset(ResetDirective::SessionOnly).map_err(|code| failure(code, 0))?;
        let mut content = Vec::new();
        let mut chunk = buffer(DCtx::out_size())?;
        let mut input = InBuffer::around(frame.bytes);
        loop {
            chunk.clear();
            let read_before = input.pos();
            let mut output = OutBuffer::around(&mut chunk);
            let left = self
                .context
                .decompress_stream(&mut output, &mut input)
                .map_err(|code| failure(code, content.len()))?;
            if chunk.len() > max_size - content.len() {
                return Err(CodecError::TooBig { limit: max_size });
            }
            content
                .try_reserve(chunk.len())
                .map_err(|_| CodecError::Memory { length: content.len() + chunk.len() })?;
            content.extend_from_slice(&chunk);
            if left == 0 {
                return Ok(content);
            }
            if chunk.is_empty() && input.pos() == read_before {
                return Err(CodecError::Truncated { length: frame.bytes.len() });
            }
        }
    }
}

fn same(kept: Option<&Dictionary>, wanted: Option<&Dictionary>) -> bool {
    match (kept, wanted) {
        (None, None) => true,
        (Some(kept), Some(wanted)) => kept.is(wanted),
        _ => false,
    }
}

fn failure(code: ErrorCode, length: usize) -> CodecError {
    match zstd_safe::is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_memory_allocation) {
        true => CodecError::Memory { length },
        false => CodecError::Corrupt { reason: get_error_name(code) },
    }
}
