//! A guest of 512 bytes: it paints a picture that is known to the last pixel, and says on the
//! debug console which keys have reached it.
//!
//! It sets VGA mode 13h (320x200 in 256 colours, which QEMU shows as 640x400), loads a palette of
//! its own, paints the colour `(x ^ y) % 128`, writes [`READY`] to port 0xE9, and from then on writes each
//! typed character to port 0xE9 and, as a glyph, on the screen. It halts while it is idle.
//!
//! There are 128 colours and not 256: with a palette of 256, QEMU's encoder for Tight takes the
//! last one for "not found" and shows the first instead (seen with 7.2).

use super::picture::Picture;

/// What the guest writes to the debug console once the picture is complete.
pub const READY: u8 = b'!';

/// Columns and rows as the guest counts them.
pub const SIZE: (usize, usize) = (320, 200);

/// How many pixels of the screen a pixel of the guest is wide and high.
pub const SCALE: usize = 2;

/// The program, in 16-bit real mode, loaded at 0x7c00. Each line is one instruction.
#[rustfmt::skip] // an instruction a line
const PROGRAM: &[&[u8]] = &[
    &[0x31, 0xc0],                   //          xor ax, ax
    &[0x8e, 0xd8],                   //          mov ds, ax
    &[0x8e, 0xd0],                   //          mov ss, ax
    &[0xbc, 0x00, 0x7c],             //          mov sp, 0x7c00
    &[0xb8, 0x13, 0x00],             //          mov ax, 0x0013     ; video mode 13h
    &[0xcd, 0x10],                   //          int 0x10
    &[0xba, 0xc8, 0x03],             //          mov dx, 0x3c8      ; palette index port
    &[0x30, 0xc0],                   //          xor al, al
    &[0xee],                         //          out dx, al
    &[0x42],                         //          inc dx             ; 0x3c9, the colours, 6 bits
    &[0x31, 0xc9],                   //          xor cx, cx         ; cl is the colour's index
    &[0x88, 0xc8],                   // palette: mov al, cl
    &[0x24, 0x3f],                   //          and al, 63
    &[0xee],                         //          out dx, al         ; red = i & 63
    &[0x88, 0xc8],                   //          mov al, cl
    &[0xc0, 0xe8, 0x02],             //          shr al, 2
    &[0xee],                         //          out dx, al         ; green = i >> 2
    &[0x88, 0xc8],                   //          mov al, cl
    &[0xf6, 0xd0],                   //          not al
    &[0x24, 0x3f],                   //          and al, 63
    &[0xee],                         //          out dx, al         ; blue = 63 - (i & 63)
    &[0xfe, 0xc1],                   //          inc cl
    &[0x75, 0xea],                   //          jnz palette
    &[0xb8, 0x00, 0xa0],             //          mov ax, 0xa000
    &[0x8e, 0xc0],                   //          mov es, ax         ; es:di is the screen
    &[0x31, 0xff],                   //          xor di, di
    &[0x31, 0xd2],                   //          xor dx, dx         ; dl is y
    &[0x31, 0xc9],                   // row:     xor cx, cx         ; cx is x
    &[0x88, 0xc8],                   // column:  mov al, cl
    &[0x30, 0xd0],                   //          xor al, dl
    &[0x24, 0x7f],                   //          and al, 127
    &[0xaa],                         //          stosb
    &[0x41],                         //          inc cx
    &[0x81, 0xf9, 0x40, 0x01],       //          cmp cx, 320
    &[0x75, 0xf2],                   //          jne column
    &[0x42],                         //          inc dx
    &[0x80, 0xfa, 0xc8],             //          cmp dl, 200
    &[0x75, 0xea],                   //          jne row
    &[0xb4, 0x02],                   //          mov ah, 2          ; put the cursor
    &[0xb7, 0x00],                   //          mov bh, 0
    &[0xba, 0x04, 0x0c],             //          mov dx, 0x0c04     ; to row 12, column 4
    &[0xcd, 0x10],                   //          int 0x10
    &[0xb0, READY],                  //          mov al, READY
    &[0xe6, 0xe9],                   //          out 0xe9, al
    &[0xfb],                         //          sti
    &[0xb4, 0x01],                   // idle:    mov ah, 1          ; is there a key?
    &[0xcd, 0x16],                   //          int 0x16
    &[0x75, 0x03],                   //          jnz key
    &[0xf4],                         //          hlt
    &[0xeb, 0xf7],                   //          jmp idle
    &[0xb4, 0x00],                   // key:     mov ah, 0          ; take it
    &[0xcd, 0x16],                   //          int 0x16
    &[0xe6, 0xe9],                   //          out 0xe9, al
    &[0xb4, 0x0e],                   //          mov ah, 14         ; and show it
    &[0xbb, 0x3f, 0x00],             //          mov bx, 0x003f     ; page 0, colour 63
    &[0xcd, 0x10],                   //          int 0x10
    &[0xeb, 0xe8],                   //          jmp idle
];

/// A floppy disk of 1.44 MB that boots the guest.
pub fn floppy() -> Vec<u8> {
    let mut disk = PROGRAM.concat();
    assert!(
        disk.len() <= 510,
        "a boot sector has 510 bytes for the program"
    );
    disk.resize(510, 0);
    disk.extend_from_slice(&[0x55, 0xaa]);
    disk.resize(1440 * 1024, 0);
    disk
}

/// What the guest's screen shows before any key is typed.
pub fn picture() -> Picture {
    let (width, height) = (SIZE.0 * SCALE, SIZE.1 * SCALE);
    Picture::paint(width, height, |x, y| {
        let index = ((x / SCALE) ^ (y / SCALE)) as u8 & 127;
        [index & 63, index >> 2, 63 - (index & 63)].map(eight_bits)
    })
}

/// A colour of 6 bits as QEMU's VGA widens it to 8: the lowest bit fills the new ones.
fn eight_bits(colour: u8) -> u8 {
    let low = colour & 1;
    colour << 2 | low << 1 | low
}
